package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// What pricing does with a sitewide discount depends on its amount.
const (
	works  = 5
	fails  = 7
	panics = 13
)

type moodyPricing struct{}

func (moodyPricing) PushSitewide(_ context.Context, d service.SitewideDiscount) error {
	if d.Rule == nil {
		return nil
	}
	switch d.Rule.Amount.IntPart() {
	case fails:
		return errors.New("pricing is away, says its secret address")
	case panics:
		panic("pricing fell over, says its secret address")
	}
	return nil
}

// sitewideThat is the body of a group on whose discount pricing works, fails or panics.
func sitewideThat(mood int) string {
	return fmt.Sprintf(`{"name":"Wholesale","discount_rules":[{"type":"all","method":"percent","amount":%d}]}`, mood)
}

// TestPanic: the client gets an id, the log gets the rest, and nobody else
// notices.
func TestPanic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		lines := newLogLines()
		f := newFixture(t, d, server.Options{Log: slog.New(slog.NewJSONHandler(lines, nil))}, service.WithPusher(moodyPricing{}))
		// One at once: a place that is not given back would show.
		f.concurrency(t, 1)
		for range 3 {
			w := f.mustAnswer(t, 500, "POST", f.path("/customer_groups"), f.vars["token"], sitewideThat(panics))
			id := w.Header().Get("X-Request-Id")
			want := `[{"status":500,"message":"An internal error occurred. Request id: ` + id + `"}]`
			if w.Body.String() != want || id == "" || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s %s, want application/json %s", w.Header().Get("Content-Type"), w.Body, want)
			}
			logged := lines.drain()
			if len(logged) != 1 {
				t.Fatalf("a panic is logged in %d lines, want 1:\n%s", len(logged), strings.Join(logged, ""))
			}
			for _, part := range []string{`"level":"ERROR"`, `"request_id":"` + id + `"`, `"status":500`, "pricing fell over, says its secret address", "PushSitewide"} {
				if !strings.Contains(logged[0], part) {
					t.Errorf("the log does not have %s: %s", part, logged[0])
				}
			}
		}
		f.mustAnswer(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], sitewideThat(works))
	})
}

// TestPartialIsLogged: what the 207 does not say is in the log.
func TestPartialIsLogged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		lines := newLogLines()
		f := newFixture(t, d, server.Options{Log: slog.New(slog.NewJSONHandler(lines, nil))}, service.WithPusher(moodyPricing{}))
		w := f.mustAnswer(t, 207, "POST", f.path("/customer_groups"), f.vars["token"], sitewideThat(fails))
		logged := strings.Join(lines.drain(), "")
		for _, part := range []string{`"level":"WARN"`, `"request_id":"` + w.Header().Get("X-Request-Id") + `"`, "pricing is away, says its secret address"} {
			if !strings.Contains(logged, part) {
				t.Errorf("the log does not have %s: %s", part, logged)
			}
		}
	})
}

const unavailable = `[{"status":503,"message":"The service is unavailable for the moment. Please try again."}]`

// mustBeUnavailable fails unless an operation is answered with 503 for now.
func (f *fixture) mustBeUnavailable(t *testing.T, method, path, body string) {
	t.Helper()
	w := f.mustAnswer(t, 503, method, path, f.vars["token"], body)
	if w.Body.String() != unavailable || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%s %s: %v %s, want Retry-After 1 and %s", method, path, w.Header(), w.Body, unavailable)
	}
}

// TestDatabaseClosed: a server whose database is gone says so, to clients and
// to whoever sends it requests, and stays up.
func TestDatabaseClosed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		if w := f.mustAnswer(t, 200, "GET", "/readyz", "", ""); w.Body.String() != "ok" {
			t.Errorf("/readyz: %s", w.Body)
		}
		f.mustAnswer(t, 200, "GET", "/readyz?write", "", "")
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		w := f.mustAnswer(t, 503, "GET", "/readyz", "", "")
		if w.Body.String() != "the database does not answer" || w.Header().Get("Content-Type") != "text/plain" {
			t.Errorf("/readyz: %s %s", w.Header().Get("Content-Type"), w.Body)
		}
		f.mustAnswer(t, 200, "GET", "/livez", "", "")
		f.mustBeUnavailable(t, "GET", f.path("/customer_groups"), "")
		f.mustBeUnavailable(t, "POST", f.path("/customer_groups"), `{"name":"x"}`)
	})
}

// TestDatabaseTakenAway: what is in memory is not shown either, once the server
// knows that its database is gone.
func TestDatabaseTakenAway(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	f := newFixture(t, dbtest.Open(t, url), server.Options{})
	f.mustAnswer(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Before"}`)
	f.mustAnswer(t, 200, "GET", f.path("/customer_groups/1"), f.vars["token"], "")
	if err := os.Remove(strings.TrimPrefix(url, "sqlite:")); err != nil {
		t.Fatal(err)
	}
	f.mustBeUnavailable(t, "POST", f.path("/customer_groups"), `{"name":"Lost"}`)
	f.mustBeUnavailable(t, "GET", f.path("/customer_groups/1"), "")
	f.mustAnswer(t, 503, "GET", "/readyz", "", "")
	f.mustAnswer(t, 503, "GET", "/readyz?write", "", "")
	f.mustAnswer(t, 200, "GET", "/livez", "", "")
}

// TestDatabaseLocked: while another process writes, reads go on; a write waits
// for its turn, five seconds at most, and then says that it could not. It is
// SQLite that locks the whole database for one writer.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	f := newFixture(t, dbtest.Open(t, url), server.Options{})
	f.mustAnswer(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Before"}`)
	release := hold(t, dbtest.Open(t, url))
	f.mustAnswer(t, 200, "GET", f.path("/customer_groups/1"), f.vars["token"], "")
	f.mustAnswer(t, 200, "GET", "/readyz", "", "")
	probe := make(chan string, 1) // which waits for as long
	go func() { probe <- f.answer("GET", "/readyz?write", "", "").Body.String() }()
	f.mustBeUnavailable(t, "POST", f.path("/customer_groups"), `{"name":"During"}`)
	if body := <-probe; body != "the database cannot be written to" {
		t.Errorf("/readyz?write: %s", body)
	}
	release()
	w := f.mustAnswer(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"After"}`)
	var group struct{ ID int }
	if err := json.Unmarshal(w.Body.Bytes(), &group); err != nil || group.ID != 2 {
		t.Errorf("the group after the lock: %s (%v), want id 2", w.Body, err)
	}
	w = f.mustAnswer(t, 200, "GET", f.path("/customer_groups/count"), f.vars["token"], "")
	if diff := cmp.Diff(`{"count":2}`, w.Body.String()); diff != "" {
		t.Error(diff)
	}
}

// hold begins a transaction that writes, as another process would, and returns
// the function that ends it.
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
