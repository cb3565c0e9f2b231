package conformance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/wirescript"

	"github.com/google/go-cmp/cmp"
)

// Each comment quotes a statement with a mark. The scripts for every store only read. Those for
// a sandbox change and delete only what they have created, and the program can delete all of it.
func TestScripts(t *testing.T) {
	files, err := scripts.ReadDir("scripts")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := scripts.ReadFile("scripts/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		s, err := wirescript.Parse(f.Name(), string(text))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(f.Name(), readScripts) && !strings.HasPrefix(f.Name(), sandboxScripts) {
			t.Errorf("%s is of no kind", f.Name())
		}
		for _, c := range s.Cases {
			if c.Comment != "" {
				if _, _, _, err := quoted(c.Comment); err != nil {
					t.Errorf("%s:%d: %v", f.Name(), c.Line, err)
				}
			}
			if !mayBeSent(f.Name(), c) {
				t.Errorf("%s:%d: %s %s", f.Name(), c.Line, c.Method, c.Path)
			}
		}
	}
}

// ofOthers are the paths of POSTs that create nothing, or a part of another resource.
var ofOthers = []string{
	"/v3/catalog/summary", "/v3/channels", "/v3/customers/addresses", "/v3/customers/metafields", "/v3/pricelists/assignments", "/v3/pricelists/records", "/v3/pricing/products",
}

func mayBeSent(script string, c wirescript.Case) bool {
	path, _, _ := strings.Cut(c.Path, "?")
	own := regexp.MustCompile(`[^{]*\{\w+\}`).MatchString(c.Path) && !strings.Contains(c.Path, "{store}")
	switch {
	case c.Method == http.MethodGet, c.Method == http.MethodHead:
		return true
	case strings.HasPrefix(script, readScripts):
		return false
	case c.Method == http.MethodPost:
		return own || deletions[path] != "" || slices.Contains(ofOthers, path)
	case c.Method == http.MethodDelete:
		return own
	case c.Method == http.MethodPut:
		return own || regexp.MustCompile(`\{\w+\}`).MatchString(c.Body)
	}
	return false
}

func TestQuoted(t *testing.T) {
	page, text, mark, err := quoted("wire.md: A create responds with 200, not 201")
	if page != "wire.md" || text != "A create responds with 200, not 201, with the group and a `Location`. [doc]" || mark != "doc" || err != nil {
		t.Errorf("%q %q %q, error %v", page, text, mark, err)
	}
	for _, bad := range []string{"no page", "wire-none.md: A create", "wire.md: there is no such sentence", "wire.md: the", "wire.md: Missing texts are empty, not null. [seen]"} {
		if _, _, _, err := quoted(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func options(t *testing.T, url, token string) Options {
	return Options{
		URL: url, Store: "abc", Token: token, AllowWrites: true, Client: http.DefaultClient, Run: "t1", Now: time.Unix(0, 0),
		Wait: func(context.Context, time.Duration) error { t.Error("it waits"); return nil },
	}
}

// start serves an empty store, through change if it is given.
func start(t *testing.T, d *db.DB, change func(http.Handler) http.Handler) (url, token string) {
	t.Helper()
	s := servertest.Start(t, d, server.Options{})
	s.Store(t, cohort.Store{Hash: "abc"})
	token = s.Token(t, "abc", cohort.Scopes()...)
	if change == nil {
		return s.URL, token
	}
	between := httptest.NewServer(change(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pass(t, s.URL, w, r) })))
	t.Cleanup(between.Close)
	return between.URL, token
}

func pass(t *testing.T, url string, w http.ResponseWriter, r *http.Request) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, url+r.RequestURI, r.Body)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header = r.Header
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body) // the client notices
}

// A statement that does not hold is in the report with the request, and without what may be
// about people. Without AllowWrites, nothing is written.
func TestDifferences(t *testing.T) {
	t.Parallel()
	url, token := start(t, dbtest.Open(t, dbtest.MigratedSQLiteURL(t)), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				t.Error(r.Method)
			}
			if strings.HasSuffix(r.RequestURI, "/customer_groups?limit=251") {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `[{"name":"Jane Roe"}]`)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	o := options(t, url, token)
	o.AllowWrites = false
	r, err := Run(t.Context(), o)
	if err != nil || r.Count(Differs) != 1 || r.Writes {
		t.Fatalf("%+v, error %v", r, err)
	}
	for _, s := range r.Statements {
		if s.Result != Differs {
			continue
		}
		p := s.Problems[0]
		if diff := cmp.Diff([]string{"read-v2.txt:65: code == 413", `read-v2.txt:66: body ~ ^\[\{"status":413,`}, p.Want); diff != "" {
			t.Error(diff)
		}
		if p.Request != "GET /v2/customer_groups?limit=251" || p.Status != 200 || s.Mark != "doc; the 413 seen; the rest ours" {
			t.Errorf("%+v", s)
		}
		if line := string(p.Exchange); !strings.Contains(line, `"query":"limit=251"`) || strings.Contains(line, "Jane") || strings.Contains(line, token) {
			t.Error(line)
		}
	}
}

func TestNoAccess(t *testing.T) {
	t.Parallel()
	url, _ := start(t, dbtest.Open(t, dbtest.MigratedSQLiteURL(t)), nil)
	if _, err := Run(t.Context(), options(t, url, "wrong")); !errors.Is(err, ErrNoAccess) {
		t.Errorf("error %v", err)
	}
}
