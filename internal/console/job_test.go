package console

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

// undeliverable is the handler of the jobs of a fixture. Nothing runs the outbox.
type undeliverable struct{}

func (undeliverable) Deliver(context.Context, outbox.Message) error { return outbox.Permanent(nil) }

// withJobs is a fixture whose store has jobs for two subjects.
func withJobs(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.svc.Outbox().Handle("test", outbox.Kind{Handler: undeliverable{}, Timeout: time.Second})
	err := f.db.Update(t.Context(), func(tx *db.Tx) error {
		for _, subject := range []string{"7", "<img src=x onerror=alert(1)>"} {
			if err := f.svc.Outbox().Put(tx, outbox.Message{Store: f.store.Key, Kind: "test", Subject: subject}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestJobs(t *testing.T) {
	f := newFixture(t)
	if page := f.get(t, f.path("jobs")); !strings.Contains(page, "No job waits.") {
		t.Error(page)
	}
	f = withJobs(t)
	golden(t, "jobs", f.get(t, f.path("jobs")))
	if page := f.get(t, f.path("jobs")+"?state=dead"); !strings.Contains(page, "No job waits.") {
		t.Error(page)
	}
}

// Dropping asks with the number of jobs, again if it has changed.
func TestDropJobs(t *testing.T) {
	f := withJobs(t)
	if page := f.post(t, f.path("jobs", "drop"), url.Values{"id": {"all"}}, 200); !strings.Contains(page, "<h1>Drop 2 jobs</h1>") {
		t.Error(page)
	}
	f.post(t, f.path("jobs", "drop"), url.Values{"id": {"1"}, "count": {"1"}}, 303)
	if page := f.post(t, f.path("jobs", "drop"), url.Values{"id": {"all"}, "count": {"2"}}, 200); !strings.Contains(page, "<h1>Drop 1 job</h1>") {
		t.Error(page)
	}
	f.post(t, f.path("jobs", "drop"), url.Values{"id": {"all"}, "count": {"1"}}, 303)
	if page := f.get(t, f.path("jobs")); !strings.Contains(page, "No job waits.") {
		t.Error(page)
	}
}

func TestRetryJobs(t *testing.T) {
	f := withJobs(t)
	f.post(t, f.path("jobs", "retry"), url.Values{"id": {"all"}}, 303)
	f.post(t, f.path("jobs", "retry"), url.Values{"id": {"9"}}, 404)
	for _, id := range []string{"", "0", "-1", "x"} {
		f.post(t, f.path("jobs", "retry"), url.Values{"id": {id}}, 400)
		f.post(t, f.path("jobs", "drop"), url.Values{"id": {id}}, 400)
	}
}

func TestHealth(t *testing.T) {
	f := withJobs(t)
	page := f.get(t, "/console/health")
	for _, want := range []string{"The database takes writes.", "<dt>Waiting</dt><dd>2</dd>", "<dt>Engine</dt><dd>SQLite 3."} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	f.send(t, "GET", "/console/health", nil, 503)
}
