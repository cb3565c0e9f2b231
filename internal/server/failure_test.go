package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// The amount of a sitewide discount decides what fakePricing does.
const (
	works  = 5
	fails  = 7
	panics = 13
)

type fakePricing struct{}

func (fakePricing) PushSitewide(_ context.Context, d service.SitewideDiscount) error {
	if d.Rule == nil {
		return nil
	}
	switch d.Rule.Amount.IntPart() {
	case fails:
		return errors.New("the pricing system at secret.example is down")
	case panics:
		panic("pricing panicked at secret.example")
	}
	return nil
}

var groupsWithPricing atomic.Int64

// groupWhosePricing returns the body of a group for which fakePricing works, fails or
// panics. Its name is not used again.
func groupWhosePricing(mood int) string {
	return fmt.Sprintf(`{"name":"Wholesale %d","discount_rules":[{"type":"all","method":"percent","amount":%d}]}`, groupsWithPricing.Add(1), mood)
}

// After a panic the client gets a request id, the log has the details, and further
// requests are served.
func TestPanic(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		lines := newLogLines()
		f := newFixture(t, d, server.Options{Log: slog.New(slog.NewJSONHandler(lines, nil))}, service.WithPusher(fakePricing{}))
		// With a limit of one, a slot that is not released makes the next request fail.
		f.concurrency(t, 1)
		for range 3 {
			w := f.mustDo(t, 500, "POST", f.path("/customer_groups"), f.vars["token"], groupWhosePricing(panics))
			id := w.Header().Get("X-Request-Id")
			want := `[{"status":500,"message":"An internal error occurred. Request id: ` + id + `"}]`
			if w.Body.String() != want || id == "" || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s %s, want application/json %s", w.Header().Get("Content-Type"), w.Body, want)
			}
			logged := lines.drain()
			if len(logged) != 1 {
				t.Fatalf("the panic has %d log lines, want 1:\n%s", len(logged), strings.Join(logged, ""))
			}
			for _, part := range []string{`"level":"ERROR"`, `"request_id":"` + id + `"`, `"status":500`, "pricing panicked at secret.example", "PushSitewide"} {
				if !strings.Contains(logged[0], part) {
					t.Errorf("the log line lacks %s: %s", part, logged[0])
				}
			}
		}
		f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], groupWhosePricing(works))
	})
}

// The log has the cause of a 207.
func TestPartialIsLogged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		lines := newLogLines()
		f := newFixture(t, d, server.Options{Log: slog.New(slog.NewJSONHandler(lines, nil))}, service.WithPusher(fakePricing{}))
		w := f.mustDo(t, 207, "POST", f.path("/customer_groups"), f.vars["token"], groupWhosePricing(fails))
		logged := strings.Join(lines.drain(), "")
		for _, part := range []string{`"level":"WARN"`, `"request_id":"` + w.Header().Get("X-Request-Id") + `"`, "the pricing system at secret.example is down"} {
			if !strings.Contains(logged, part) {
				t.Errorf("the log line lacks %s: %s", part, logged)
			}
		}
	})
}

const unavailable = `[{"status":503,"message":"The service is unavailable for the moment. Please try again."}]`

// mustBeUnavailable fails unless the response is 503.
func (f *fixture) mustBeUnavailable(t *testing.T, method, path, body string) {
	t.Helper()
	w := f.mustDo(t, 503, method, path, f.vars["token"], body)
	if w.Body.String() != unavailable || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%s %s: %v %s, want Retry-After 1 and %s", method, path, w.Header(), w.Body, unavailable)
	}
}

// Without its database the server responds with 503, /readyz fails and /livez does
// not.
func TestDatabaseClosed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		if w := f.mustDo(t, 200, "GET", "/readyz", "", ""); w.Body.String() != "ok" {
			t.Errorf("/readyz: %s", w.Body)
		}
		f.mustDo(t, 200, "GET", "/readyz?write", "", "")
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		w := f.mustDo(t, 503, "GET", "/readyz", "", "")
		if w.Body.String() != "the database does not answer" || w.Header().Get("Content-Type") != "text/plain" {
			t.Errorf("/readyz: %s %s", w.Header().Get("Content-Type"), w.Body)
		}
		f.mustDo(t, 200, "GET", "/livez", "", "")
		f.mustBeUnavailable(t, "GET", f.path("/customer_groups"), "")
		f.mustBeUnavailable(t, "POST", f.path("/customer_groups"), `{"name":"x"}`)
	})
}

// Once the server has noticed that its database file was deleted, it does not serve
// cached data either.
func TestDatabaseDeleted(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	f := newFixture(t, dbtest.Open(t, url), server.Options{})
	f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Before"}`)
	f.mustDo(t, 200, "GET", f.path("/customer_groups/1"), f.vars["token"], "")
	if err := os.Remove(strings.TrimPrefix(url, "sqlite:")); err != nil {
		t.Fatal(err)
	}
	f.mustBeUnavailable(t, "POST", f.path("/customer_groups"), `{"name":"Lost"}`)
	f.mustBeUnavailable(t, "GET", f.path("/customer_groups/1"), "")
	f.mustDo(t, 503, "GET", "/readyz", "", "")
	f.mustDo(t, 503, "GET", "/readyz?write", "", "")
	f.mustDo(t, 200, "GET", "/livez", "", "")
}

// While another process holds the write lock of an SQLite database, reads succeed and
// a write fails after five seconds.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	f := newFixture(t, dbtest.Open(t, url), server.Options{})
	f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Before"}`)
	release := hold(t, dbtest.Open(t, url))
	f.mustDo(t, 200, "GET", f.path("/customer_groups/1"), f.vars["token"], "")
	f.mustDo(t, 200, "GET", "/readyz", "", "")
	probe := make(chan string, 1) // the probe waits for the lock too
	go func() { probe <- f.do("GET", "/readyz?write", "", "").Body.String() }()
	f.mustBeUnavailable(t, "POST", f.path("/customer_groups"), `{"name":"During"}`)
	if body := <-probe; body != "the database cannot be written to" {
		t.Errorf("/readyz?write: %s", body)
	}
	release()
	w := f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"After"}`)
	var group struct{ ID int }
	if err := json.Unmarshal(w.Body.Bytes(), &group); err != nil || group.ID != 2 {
		t.Errorf("the group after the lock: %s (%v), want id 2", w.Body, err)
	}
	w = f.mustDo(t, 200, "GET", f.path("/customer_groups/count"), f.vars["token"], "")
	if diff := cmp.Diff(`{"count":2}`, w.Body.String()); diff != "" {
		t.Error(diff)
	}
}

// hold begins a write transaction and returns the function that ends it.
func hold(t *testing.T, d *db.DB) (release func()) {
	t.Helper()
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- d.Update(context.Background(), func(*db.Tx) error {
			close(begun)
			<-end
			return nil
		})
	}()
	select {
	case <-begun:
	case err := <-ended:
		t.Fatal(err)
	}
	return func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
