package console

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort/internal/service"
)

// broken is the destination of the webhooks of a fixture: it fails, with markup. It tells
// the channel of each attempt.
type broken chan struct{}

func (broken) CheckDestination(string) error { return nil }

func (b broken) Send(context.Context, service.HookAttempt) service.HookAnswer {
	b <- struct{}{}
	return service.HookAnswer{
		Status: 500, Request: map[string]string{"Webhook-Id": "msg_1"}, Response: "<img src=x onerror=alert(1)>", Err: errors.New("status 500"),
	}
}

// withHook is a fixture whose store has a webhook, with one delivery that has failed once.
func withHook(t *testing.T) *fixture {
	t.Helper()
	to := make(broken, 1)
	f := newFixture(t, service.WithHookSender(to))
	f.api(t, "POST", "/v3/hooks", `{"scope":"store/customerGroup/*","destination":"https://hooks.example/in","is_active":true,"headers":{"X-Key":"confidential"}}`)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"Wholesale"}`)
	f.deliver(t, to)
	return f
}

// deliver runs what delivers messages until it has made an attempt.
func (f *fixture) deliver(t *testing.T, attempted <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	log := slog.New(slog.DiscardHandler)
	running.Go(func() { f.svc.Outbox().Run(ctx, log) })
	running.Go(func() { f.svc.RunHooks(ctx, log) })
	<-attempted
	cancel()
	running.Wait()
}

func TestHooks(t *testing.T) {
	f := newFixture(t)
	if page := f.get(t, f.path("hooks")); !strings.Contains(page, "No webhook is told") {
		t.Error(page)
	}
	f = withHook(t)
	page := f.get(t, f.path("hooks"))
	if !strings.Contains(page, "https://hooks.example/in") || strings.Contains(page, "confidential") {
		t.Error(page)
	}
	page = f.get(t, f.path("hooks", "1"))
	for _, want := range []string{
		`<span class="tag note">waiting</span>`, "<code>store/customerGroup/created</code>", "1 attempt, last response 500",
		"&lt;img src=x onerror=alert(1)&gt;", "<code>X-Key</code>", "1 client secret is valid now",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	if strings.Contains(page, "confidential") || strings.Contains(page, "<img") {
		t.Error(page)
	}
	if page := f.get(t, f.path("hooks", "1")+"?state=delivered"); !strings.Contains(page, "Nothing was delivered yet in this state.") {
		t.Error(page)
	}
	f.send(t, "GET", f.path("hooks", "2"), nil, 404)
	f.send(t, "GET", f.path("hooks", "x"), nil, 404)
}

func TestSwitchHook(t *testing.T) {
	f := withHook(t)
	f.post(t, f.path("hooks", "1", "redeliver"), url.Values{"delivery": {"1"}}, 303)
	f.post(t, f.path("hooks", "1", "redeliver"), url.Values{"delivery": {"2"}}, 404)
	f.post(t, f.path("hooks", "1", "redeliver"), nil, 400)
	f.post(t, f.path("hooks", "1", "active"), url.Values{"active": {"false"}}, 303)
	if page := f.get(t, f.path("hooks")); !strings.Contains(page, `<span class="tag">inactive</span>`) {
		t.Error(page)
	}
	f.post(t, f.path("hooks", "1", "redeliver"), url.Values{"delivery": {"1"}}, 409)
	f.post(t, f.path("hooks", "1", "active"), url.Values{"active": {"true"}}, 303)
	if page := f.get(t, f.path("hooks")); !strings.Contains(page, `<span class="tag good">active</span>`) {
		t.Error(page)
	}
}

func TestDeleteHook(t *testing.T) {
	f := withHook(t)
	if page := f.post(t, f.path("hooks", "1", "delete"), nil, 200); !strings.Contains(page, "https://hooks.example/in gets no more messages.") {
		t.Error(page)
	}
	f.post(t, f.path("hooks", "1", "delete"), url.Values{"confirmed": {"yes"}}, 303)
	f.send(t, "GET", f.path("hooks", "1"), nil, 404)
}
