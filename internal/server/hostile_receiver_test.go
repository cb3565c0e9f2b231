package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"
)

// receiverTimeout is how long an attempt of the test lasts. It is how long the test runs, and in
// how much time the good receiver has to be told everything.
const receiverTimeout = 4 * time.Second

// hostileReceiver is a receiver, and what the log says of the attempts at it.
type hostileReceiver struct {
	name    string
	receive http.HandlerFunc

	state    string
	status   int
	err      string // a part of the error
	response string // the beginning of the response
	length   int    // of the response
}

func hostileReceivers(good string, hung *atomic.Int64) []hostileReceiver {
	large := strings.Repeat("0123456789abcdef", 64)
	return []hostileReceiver{
		{name: "slow", state: "delivered", status: 200, response: "late", length: 4, receive: func(w http.ResponseWriter, r *http.Request) {
			<-time.After(100 * time.Millisecond)
			_, _ = io.WriteString(w, "late")
		}},
		{name: "never", state: "waiting", err: "time", receive: func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			hung.Add(1)
		}},
		{name: "failing", state: "waiting", status: 500, err: "500", response: "no", length: 2, receive: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "no")
		}},
		{name: "redirect", state: "waiting", status: 301, err: "301", receive: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", good)
			w.WriteHeader(http.StatusMovedPermanently)
		}},
		{name: "garbage", state: "waiting", err: "malformed", receive: func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("\x00\xff garbage\r\n\r\n"))
				_ = conn.Close()
			}
		}},
		{name: "large", state: "delivered", status: 200, response: large[:16], length: len(large), receive: func(w http.ResponseWriter, _ *http.Request) {
			for range 10 << 10 { // 10 MiB
				if _, err := io.WriteString(w, large); err != nil {
					return
				}
			}
		}},
	}
}

// Receivers that are slow, hang, fail, redirect, or send garbage or too much do not hold back the
// one beside them. The log says what each of them did.
func TestHostileReceivers(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		const groups = 30
		var hung, told atomic.Int64
		all := make(chan struct{})
		good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if told.Add(1) == groups {
				close(all)
			}
		}))
		defer good.Close()
		s := startSending(t, d)
		s.Store(t, cohort.Store{Hash: "abc"})
		token := s.Token(t, "abc", cohort.Scopes()...)
		hostile := hostileReceivers(good.URL, &hung)
		ids := map[string]int64{}
		for _, h := range hostile {
			to := httptest.NewServer(h.receive)
			defer to.Close()
			defer to.CloseClientConnections()
			ids[h.name] = addHook(t, s, token, to.URL)
		}
		ids["good"] = addHook(t, s, token, good.URL)
		for n := range groups {
			if r := servertest.Send(t, "POST", s.URL+"/stores/abc/v2/customer_groups", token, fmt.Sprintf(`{"name":"Group %d"}`, n)); r.Status != 200 {
				t.Fatalf("create a group: %d %s", r.Status, r.Body)
			}
		}
		select {
		case <-all:
			if n := hung.Load(); n > 0 {
				t.Errorf("the good receiver is told everything only after %d attempts at another one have ended", n)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("the good receiver is told %d times", told.Load())
		}
		for _, h := range hostile {
			h.check(t, awaitAttempts(t, s, token, ids[h.name]))
		}
		if n := told.Load(); n != groups {
			t.Errorf("the good receiver is told %d times, want %d: no redirect is followed", n, groups)
		}
	})
}

// startSending starts a server that sends webhooks.
func startSending(t *testing.T, d *db.DB) *servertest.Server {
	t.Helper()
	sender := webhook.New(webhook.Options{Dev: true, Timeout: receiverTimeout})
	s := servertest.Start(t, d, server.Options{}, service.WithHookSender(sender))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	log := slog.New(slog.DiscardHandler)
	running.Go(func() { s.Service.Outbox().Run(ctx, log) })
	running.Go(func() { s.Service.RunHooks(ctx, log) })
	t.Cleanup(func() { stop(); running.Wait() })
	return s
}

func addHook(t *testing.T, s *servertest.Server, token, url string) int64 {
	t.Helper()
	var hook struct{ Data struct{ ID int64 } }
	r := servertest.Send(t, "POST", s.URL+"/stores/abc/v3/hooks", token, fmt.Sprintf(`{"scope":"store/customerGroup/*","destination":%q}`, url))
	if err := json.Unmarshal([]byte(r.Body), &hook); err != nil || r.Status != 200 {
		t.Fatalf("create a webhook: %d %s, %v", r.Status, r.Body, err)
	}
	return hook.Data.ID
}

// loggedDelivery is a delivery as the log says it.
type loggedDelivery struct {
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	Status   int    `json:"status"`
	Error    string `json:"error"`
	Response string `json:"response_body"`
	Next     string `json:"next_attempt"`
}

// awaitAttempts waits until the log of a webhook has attempts, and returns them.
func awaitAttempts(t *testing.T, s *servertest.Server, token string, id int64) (list []loggedDelivery) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		var page struct{ Data []loggedDelivery }
		r := servertest.Send(t, "GET", fmt.Sprintf("%s/stores/abc/cohort/v1/hooks/%d/deliveries", s.URL, id), token, "")
		if err := json.Unmarshal([]byte(r.Body), &page); err != nil {
			t.Fatalf("log: %d %s, %v", r.Status, r.Body, err)
		}
		for _, d := range page.Data {
			if d.Attempts > 0 {
				list = append(list, d)
			}
		}
		if len(list) > 0 {
			return list
		}
		if time.Now().After(deadline) {
			t.Fatalf("webhook %d has no attempt: %s", id, r.Body)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// check checks what the log says of the attempts.
func (h hostileReceiver) check(t *testing.T, list []loggedDelivery) {
	t.Helper()
	for _, d := range list {
		if d.State != h.state || d.Attempts != 1 || d.Status != h.status || !strings.Contains(d.Error, h.err) || (d.Error == "") != (h.err == "") ||
			!strings.HasPrefix(d.Response, h.response) || len(d.Response) != h.length || (d.Next == "") != (h.state == "delivered") {
			t.Errorf("%s: the log says %+v", h.name, d)
		}
	}
}
