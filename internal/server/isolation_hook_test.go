package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
)

// sentHooks is a sender that keeps the bodies of messages by their destinations.
type sentHooks struct {
	mu   sync.Mutex
	sent map[string][]string
}

func (s *sentHooks) CheckDestination(string) error { return nil }

func (s *sentHooks) Send(_ context.Context, a service.HookAttempt) service.HookAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[a.Destination] = append(s.sent[a.Destination], string(a.Body))
	return service.HookAnswer{Status: 200, Request: map[string]string{"To": a.Destination}}
}

// application is a token with a webhook. Its mark is in the destination of that.
type application struct {
	store, secret, mark string
	hook                int64
}

// Webhooks and their deliveries are those of one token, and events and histories those of one
// store, though the ids in two stores are the same.
func TestHookIsolation(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		sender := &sentHooks{sent: map[string][]string{}}
		s := servertest.Start(t, d, server.Options{}, service.WithHookSender(sender))
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		log := slog.New(slog.DiscardHandler)
		running.Go(func() { s.Service.Outbox().Run(ctx, log) })
		running.Go(func() { s.Service.RunHooks(ctx, log) })
		defer running.Wait()
		defer stop()
		apps := newApplications(t, s)
		for _, store := range []string{"abc", "other"} {
			for _, a := range apps {
				if a.store == store {
					changeStore(t, s, a)
					break
				}
			}
		}
		for _, a := range apps {
			awaitOwnDeliveries(t, s, a)
		}
		for _, a := range apps {
			a.wantOwn(t, s, apps)
		}
		for _, a := range apps { // nothing has changed
			if r := a.send(t, s, "GET", fmt.Sprint("/v3/hooks/", a.hook), ""); r.Status != 200 || !strings.Contains(r.Body, a.mark) || !strings.Contains(r.Body, `"is_active":true`) {
				t.Errorf("%s: %d %s", a.mark, r.Status, r.Body)
			}
		}
		sender.check(t, apps)
	})
}

// newApplications creates two stores, each with two tokens, each with a webhook.
func newApplications(t *testing.T, s *servertest.Server) (apps []*application) {
	t.Helper()
	for _, store := range []string{"abc", "other"} {
		s.Store(t, cohort.Store{Hash: store, Events: true})
		for n := range 2 {
			a := &application{store: store, secret: s.Token(t, store, cohort.Scopes()...), mark: fmt.Sprintf("mark-%s-%d", store, n), hook: int64(n + 1)}
			body := fmt.Sprintf(`{"scope":"store/customerGroup/*","destination":"https://example.com/%s"}`, a.mark)
			if r := a.send(t, s, "POST", "/v3/hooks", body); r.Status != 200 || !strings.Contains(r.Body, fmt.Sprintf(`"id":%d,`, a.hook)) {
				t.Fatalf("create a webhook: %d %s", r.Status, r.Body)
			}
			apps = append(apps, a)
		}
	}
	return apps
}

func (a *application) send(t *testing.T, s *servertest.Server, method, path, body string) servertest.Response {
	t.Helper()
	return servertest.Send(t, method, s.URL+"/stores/"+a.store+path, a.secret, body)
}

// changeStore makes changes with the name of the store in them.
func changeStore(t *testing.T, s *servertest.Server, a *application) {
	t.Helper()
	for path, body := range map[string]string{
		"/v2/customer_groups": fmt.Sprintf(`{"name":"group of %s"}`, a.store),
		"/v2/customers":       fmt.Sprintf(`{"first_name":"A","last_name":"of %[1]s","email":"a@%[1]s.example.com"}`, a.store),
	} {
		if r := a.send(t, s, "POST", path, body); r.Status != 200 {
			t.Fatalf("%s: %d %s", path, r.Status, r.Body)
		}
	}
}

func awaitOwnDeliveries(t *testing.T, s *servertest.Server, a *application) {
	t.Helper()
	path := fmt.Sprintf("/cohort/v1/hooks/%d/deliveries", a.hook)
	for deadline := time.Now().Add(30 * time.Second); ; {
		r := a.send(t, s, "GET", path, "")
		if r.Status == 200 && strings.Contains(r.Body, `"state":"delivered"`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has no delivery: %d %s", a.mark, r.Status, r.Body)
		}
		time.Sleep(time.Millisecond) // only as long as a worker is busy
	}
}

// wantOwn reads and changes everything that an application can name, and looks for marks of
// others.
func (a *application) wantOwn(t *testing.T, s *servertest.Server, apps []*application) {
	t.Helper()
	const hook, deliveries = "/v3/hooks/%d", "/cohort/v1/hooks/%d/deliveries"
	for _, path := range []string{
		"/v3/hooks", "/v3/hooks/admin", fmt.Sprintf(hook, a.hook), fmt.Sprintf(deliveries, a.hook),
		"/cohort/v1/events", "/cohort/v1/events/export", "/cohort/v1/groups/1/history", "/cohort/v1/customers/1/history", "/cohort/v1/groups/1",
	} {
		r := a.send(t, s, "GET", path, "")
		if r.Status != http.StatusOK || !strings.Contains(r.Body, a.mark) && !strings.Contains(r.Body, a.store) {
			t.Errorf("%s: %s: %d %s", a.mark, path, r.Status, r.Body)
		}
		for _, b := range apps {
			if b != a && strings.Contains(r.Body, b.mark) || b.store != a.store && strings.Contains(r.Body, "of "+b.store) {
				t.Errorf("%s: %s has what belongs to %s: %s", a.mark, path, b.mark, r.Body)
			}
		}
	}
	for _, id := range []int64{3 - a.hook, 3} { // of the other token, and of nobody
		for _, r := range []struct{ method, path, body string }{
			{"GET", hook, ""}, {"PUT", hook, `{"is_active":false}`}, {"DELETE", hook, ""}, {"GET", deliveries, ""},
			{"POST", deliveries + "/1/redeliver", ""}, {"POST", deliveries + "/2/redeliver", ""},
		} {
			path := fmt.Sprintf(r.path, id)
			if got := a.send(t, s, r.method, path, r.body); got.Status != http.StatusNotFound {
				t.Errorf("%s: %s %s: %d %s", a.mark, r.method, path, got.Status, got.Body)
			}
		}
	}
	foreign := 0
	for id := int64(1); id <= 2; id++ { // one of them is a delivery of the other token
		path := fmt.Sprintf(deliveries+"/%d/redeliver", a.hook, id)
		if got := a.send(t, s, "POST", path, ""); got.Status == http.StatusNotFound {
			foreign++
		}
	}
	if foreign != 1 {
		t.Errorf("%s: %d of the deliveries of the store are of another webhook, want 1", a.mark, foreign)
	}
}

// check checks that each destination got only what its store told.
func (s *sentHooks) check(t *testing.T, apps []*application) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range apps {
		list := s.sent["https://example.com/"+a.mark]
		if len(list) == 0 {
			t.Errorf("%s is told nothing", a.mark)
		}
		for _, body := range list {
			if !strings.Contains(body, `"producer":"stores/`+a.store+`"`) {
				t.Errorf("%s is told %s", a.mark, body)
			}
		}
	}
	if len(s.sent) != len(apps) {
		t.Errorf("%d destinations", len(s.sent))
	}
}
