package conformance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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

// Each comment quotes a statement with a mark, and the scripts for every store only read.
func TestScripts(t *testing.T) {
	files, err := scripts.ReadDir("scripts")
	if err != nil || len(files) != len(readScripts)+len(sandboxScripts) {
		t.Fatalf("%d files, error %v", len(files), err)
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
		for _, c := range s.Cases {
			if c.Comment != "" {
				if _, _, _, err := quoted(c.Comment); err != nil {
					t.Errorf("%s:%d: %v", f.Name(), c.Line, err)
				}
			}
			if f.Name() == "read.txt" && c.Method != http.MethodGet && c.Method != http.MethodHead {
				t.Errorf("%s:%d: %s", f.Name(), c.Line, c.Method)
			}
		}
	}
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
	token = s.Token(t, "abc", cohort.ScopeCustomers)
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

// Everything holds at Cohort, and nothing stays there.
func TestCohortConforms(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		url, token := start(t, d, nil)
		for range 2 {
			r, err := Run(t.Context(), options(t, url, token))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range r.Statements {
				if !s.Holds {
					t.Errorf("%s: %+v", s.Text, s.Problems)
				}
			}
			if len(r.Statements) < 25 || !r.Writes {
				t.Errorf("%d statements, writes %v", len(r.Statements), r.Writes)
			}
		}
	})
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
			if strings.Contains(r.RequestURI, "limit=251") {
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
	if err != nil || r.Failed() != 1 || r.Writes {
		t.Fatalf("%+v, error %v", r, err)
	}
	for _, s := range r.Statements {
		if s.Holds {
			continue
		}
		p := s.Problems[0]
		if diff := cmp.Diff([]string{"read.txt:65: code == 413", `read.txt:66: body ~ ^\[\{"status":413,`}, p.Want); diff != "" {
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
