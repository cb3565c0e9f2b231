package console

import (
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// now is the time of all tests.
func now() time.Time { return time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC) }

// fixture is a console over a database of its own, with the store abc.
type fixture struct {
	*Console
	db    *db.DB
	svc   *service.Service
	store cohort.Store
	time  time.Time // of the clock
	// last is the response to the last request.
	last *http.Response
}

// secret is the token of the store of a fixture.
const secret = "the token of tests"

// newFixture returns the console of a server for tests of integrations.
func newFixture(t testing.TB, opts ...service.Option) *fixture {
	t.Helper()
	d := dbtest.SQLite(t)
	f := &fixture{db: d, time: now()}
	svc := service.New(d, append(opts, service.WithClock(func() time.Time { return f.time }))...)
	st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "abc", Events: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := svc.CreateTokenWithSecret(t.Context(), cohort.Token{StoreKey: st.Key, Name: "tests", Scopes: cohort.Scopes()}, secret); err != nil {
		t.Fatal(err)
	}
	o := server.Options{Journal: journal.New(), Faults: &fault.Set{}, Memory: limit.NewMemoryWithClocks(svc.Now), Now: now}
	dialects := server.Dialects(svc)
	o.Control = control.New(control.Options{Service: svc, Limits: o.Memory, Faults: o.Faults, Journal: o.Journal, Dialects: dialects, Token: "control"})
	api := server.New(svc, o)
	f.Console, f.svc, f.store = New(Options{
		Service: svc, Dialects: dialects, Version: "v0", APIURL: "http://127.0.0.1:8080", API: api, Now: now,
		Tests: &Tests{Journal: o.Journal, Faults: o.Faults, Limits: o.Memory, Store: "abc", Secret: secret, ControlToken: "control"},
	}), svc, st
	return f
}

// path returns the address of a page of the store.
func (f *fixture) path(parts ...string) string { return storePath("abc", parts...) }

// get returns a page, which has to be there.
func (f *fixture) get(t testing.TB, path string) string {
	t.Helper()
	return f.send(t, "GET", path, nil, http.StatusOK)
}

// post sends a form and returns the page that comes back.
func (f *fixture) post(t testing.TB, path string, form url.Values, status int) string {
	t.Helper()
	return f.send(t, "POST", path, form, status)
}

func (f *fixture) send(t testing.TB, method, path string, form url.Values, status int) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
	r.Host = "localhost:8080"
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	f.last = w.Result()
	body, err := io.ReadAll(f.last.Body)
	if err != nil {
		t.Fatal(err)
	}
	if f.last.StatusCode != status {
		t.Fatalf("%s %s: status %d\n%s", method, path, f.last.StatusCode, body)
	}
	return string(body)
}

// api sends a request to the API with the token of the store.
func (f *fixture) api(t testing.TB, method, path, body string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/stores/abc"+path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", secret)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	f.API.ServeHTTP(w, r)
	return w.Body.String()
}

// golden compares a page with a file in testdata, from its first heading on.
func golden(t testing.TB, name, page string) {
	t.Helper()
	_, page, _ = strings.Cut(page, "<main")
	file := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(page, "\n")); diff != "" {
		t.Errorf("%s: -want +got\n%s", file, diff)
	}
}
