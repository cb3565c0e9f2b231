package groupsync_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/groupsync"
)

// lying responds as a store with groups and nothing else. It is a server that does not keep
// to the rules.
type lying struct {
	groups func(page int) string // a page of groups; "": 204
	lists  string                // the response with price lists
	status int                   // of the catalog; 0: 200
}

func (l lying) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const none = `{"data":[],"meta":{"pagination":{"total":9000,"count":0,"per_page":50,"current_page":1,"total_pages":180}}}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/v2/customer_groups"):
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		text := l.groups(max(page, 1))
		if text == "" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		fmt.Fprint(w, text)
	case strings.HasSuffix(r.URL.Path, "/v3/pricelists") && l.lists != "":
		fmt.Fprint(w, l.lists)
	case strings.Contains(r.URL.Path, "/v3/catalog/") && l.status != 0:
		w.WriteHeader(l.status)
	default:
		fmt.Fprint(w, none)
	}
}

func (l lying) read(t *testing.T) (*groupsync.Document, error) {
	t.Helper()
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	c, err := client.New("abc", "a-token", client.WithBaseURL(s.URL), client.WithRetry(client.RetryPolicy{Attempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := (&groupsync.Reader{Client: c}).Read(t.Context())
	return d, err
}

func group(id int, name string) string {
	return fmt.Sprintf(`{"id":%d,"name":%q,"category_access":{"type":"all"},"discount_rules":[]}`, id, name)
}

// manyGroups is a page of groups.
func manyGroups(first, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = group(first+i, fmt.Sprint("Group ", first+i))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func once(text string) func(int) string {
	return func(page int) string {
		if page > 1 {
			return ""
		}
		return text
	}
}

// A server that lies about its lists is read to the end or refused, and never read for ever.
func TestServersThatLie(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		server lying
		groups int    // that are read
		err    string // a part of the error
	}{
		{"totals", lying{groups: once("[" + group(1, "A") + "]")}, 1, ""},
		{"a page twice", lying{groups: func(int) string { return manyGroups(1, 250) }}, 0, "page twice"},
		{"a row that moves to the next page", lying{groups: func(page int) string {
			return map[int]string{1: manyGroups(1, 250), 2: manyGroups(250, 10)}[page]
		}}, 259, ""},
		{"a name twice", lying{groups: once("[" + group(1, "A") + "," + group(2, "a ") + "]")}, 0, `"a " (ids 1 and 2)`},
		{"not JSON", lying{groups: once("<html>")}, 0, "cannot be read"},
		{"another shape", lying{groups: once(`{"a":1}`)}, 0, "cannot be read"},
		{"no data", lying{groups: once("[]"), lists: `{"meta":{}}`}, 0, "it has no data"},
		{"no scope", lying{groups: once("[]"), status: 403}, 0, "it needs the scope store_v2_products_read_only"},
		{"error of the server", lying{groups: once("[]"), status: 500}, 0, "500"},
		{"a rule of what is not there", lying{groups: once(`[{"id":1,"name":"A","discount_rules":[{"type":"category","category_id":9,"method":"percent","amount":"5.0000"}]}]`)}, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := tt.server.read(t)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("the error is %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Groups) != tt.groups {
				t.Errorf("%d groups are read, want %d", len(d.Groups), tt.groups)
			}
		})
	}
}

// A token without a scope is found before anything else is read.
func TestTokenWithoutScope(t *testing.T) {
	t.Parallel()
	s := cohorttest.Start(t)
	token := s.NewToken(t, s.Store, cohort.ScopeCustomersRead)
	_, _, err := (&groupsync.Reader{Client: newClient(t, s, s.Store, token)}).Read(t.Context())
	if !errors.Is(err, client.ErrForbidden) || !strings.Contains(err.Error(), "The token may not read price lists") && !strings.Contains(err.Error(), "the token may not read price lists") {
		t.Errorf("the error is %v", err)
	}
}

func newClient(t testing.TB, s *cohorttest.Server, store, token string) *client.Client {
	t.Helper()
	c, err := client.New(store, token, client.WithBaseURL(s.URL), client.WithRetry(client.RetryPolicy{Attempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A pull that fails at any request goes on after the steps that it has finished, and its file
// is that of a pull that does not fail.
func TestPullGoesOn(t *testing.T) {
	t.Parallel()
	s := cohorttest.Start(t)
	token := s.NewStore(t, cohort.Store{Hash: "shop", Catalog: cohort.CatalogManaged})
	s.SeedText(t, "shop", everything)
	want := pullFrom(t, newClient(t, s, "shop", token))

	var requests, failAt atomic.Int64
	failing := func(r *http.Request) (*http.Response, error) {
		if requests.Add(1) == failAt.Load() {
			return nil, errors.New("the line is cut")
		}
		return http.DefaultTransport.RoundTrip(r)
	}
	c, err := client.New("shop", token, client.WithBaseURL(s.URL), client.WithHTTPClient(&http.Client{Transport: transport(failing)}),
		client.WithRetry(client.RetryPolicy{Attempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "shop.yaml.partial")
	var got *groupsync.Document
	pulls := 0
	for at := int64(4); got == nil; at++ { // the first three are the checks of scopes
		requests.Store(0)
		failAt.Store(at)
		j, err := groupsync.OpenJournal(name, "shop")
		if err != nil {
			t.Fatal(err)
		}
		d, _, err := (&groupsync.Reader{Client: c, Customers: true, Journal: j}).Read(t.Context())
		if err == nil {
			got = d
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		pulls++
	}
	if pulls < 3 {
		t.Errorf("only %d pulls: none has failed", pulls)
	}
	if text := write(t, got); text != want {
		t.Errorf("the file is\n%s\nwant\n%s", text, want)
	}
}

// transport makes a function an http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A journal that is cut off anywhere is used as far as it is whole. Another file is refused.
func TestBrokenJournals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	const whole = `{"pull":"shop","begun":"2026-01-02T03:04:05Z"}` + "\n" +
		`{"step":"groups","rows":[{"id":1,"name":"A","category_access":{"type":"all"},"discount_rules":[]}]}` + "\n" +
		`{"step":"groups","end":true}` + "\n"
	for at := range len(whole) + 1 {
		name := filepath.Join(folder, strconv.Itoa(at))
		if err := os.WriteFile(name, []byte(whole[:at]), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := groupsync.OpenJournal(name, "shop")
		if err != nil {
			t.Fatalf("cut off after %d bytes: %v", at, err)
		}
		if want := map[bool]int{true: 1}[at == len(whole)]; j.Steps() != want {
			t.Errorf("cut off after %d bytes: %d steps, want %d", at, j.Steps(), want)
		}
		j.Close()
	}
	for name, text := range map[string]string{
		"another pull": `{"pull":"other"}` + "\n", "no journal": "customer_groups: []\n", "binary": "\x00\x01\n", "no head": `{"step":"groups","end":true}` + "\n",
	} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := groupsync.OpenJournal(file, "shop"); !errors.Is(err, groupsync.ErrJournal) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadFile(file); string(left) != text {
			t.Errorf("%s: the file is changed to %q", name, left)
		}
	}
}

// Rows of a step in a journal that have another shape are an error.
func TestJournalWithOtherRows(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "j")
	text := `{"pull":"shop"}` + "\n" + `{"step":"groups","rows":["a"]}` + "\n" + `{"step":"groups","end":true}` + "\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := groupsync.OpenJournal(name, "shop")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s := cohorttest.Start(t)
	_, _, err = (&groupsync.Reader{Client: newClient(t, s, s.Store, s.Token), Journal: j}).Read(t.Context())
	if !errors.Is(err, groupsync.ErrJournal) {
		t.Errorf("the error is %v", err)
	}
}
