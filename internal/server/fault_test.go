package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// faulty is a server with fault rules on a real listener.
type faulty struct {
	*socket
	faults *fault.Set
	log    logLines
}

func serveFaulty(t *testing.T, d *db.DB, secure bool) *faulty {
	t.Helper()
	f := &faulty{faults: &fault.Set{}, log: newLogLines()}
	log := slog.New(slog.NewTextHandler(f.log, nil))
	f.socket = serveSocket(t, d, server.Options{Faults: f.faults, FaultHeader: true, Log: log}, secure)
	return f
}

// set replaces the rules.
func (f *faulty) set(t *testing.T, rules ...fault.Rule) {
	t.Helper()
	if _, err := f.faults.Put("abc", rules); err != nil {
		t.Fatal(err)
	}
}

// send sends a request on a connection of its own and returns what comes until its end.
func (f *faulty) send(t *testing.T, request func(*wire) string) (string, error) {
	t.Helper()
	w := f.dial(t)
	if _, err := io.WriteString(w.Conn, request(w)); err != nil {
		t.Fatal(err)
	}
	defer w.Close() // the server may be reading on
	text, err := io.ReadAll(w.Conn)
	return string(text), err
}

// create returns a request that creates a group.
func create(name string) func(*wire) string {
	return func(w *wire) string {
		return w.whole("POST", "/customer_groups", fmt.Sprintf(`{"name":%q}`, name), "Connection: close")
	}
}

// wantGroups fails unless the store has the groups.
func (f *faulty) wantGroups(t *testing.T, n int) {
	t.Helper()
	f.faults.Clear("abc")
	got := f.mustDo(t, http.StatusOK, "GET", f.path("/customer_groups/count"), f.vars["token"], "").Body.String()
	if got != fmt.Sprintf(`{"count":%d}`, n) {
		t.Errorf("the store has %s groups, want %d", got, n)
	}
}

// wantLine fails unless the log has a line of a request with a fault.
func (f *faulty) wantLine(t *testing.T, status int) {
	t.Helper()
	select {
	case line := <-f.log:
		if !strings.Contains(line, "level=INFO") || !strings.Contains(line, fmt.Sprintf(" status=%d ", status)) || !strings.Contains(line, " fault=") {
			t.Errorf("the log has %s, want status %d", line, status)
		}
	case <-time.After(socketTimeout):
		t.Error("the request was not logged")
	}
}

func do(kind fault.Kind) fault.Rule { return fault.Rule{Action: fault.Action{Kind: kind}} }

// A fault on the connection sends nothing, and a reset is RST. The write happens only if the
// rule says so.
func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := serveFaulty(t, d, false)
		for _, kind := range []fault.Kind{fault.KindReset, fault.KindEmpty} {
			for _, commit := range []bool{false, true} {
				f.set(t, fault.Rule{Action: fault.Action{Kind: kind, Commit: commit}})
				text, err := f.send(t, create(string(kind)))
				if reset := errors.Is(err, syscall.ECONNRESET); text != "" || reset != (kind == fault.KindReset) {
					t.Errorf("%s: got %q, error %v", kind, text, err)
				}
				f.wantLine(t, 0)
			}
		}
		f.wantGroups(t, 2)
	})
}

// The same with TLS: the reset is that of the connection below.
func TestResetWithTLS(t *testing.T) {
	t.Parallel()
	f := serveFaulty(t, dbtest.SQLite(t), true)
	f.set(t, do(fault.KindReset))
	if text, err := f.send(t, create("Gold")); text != "" || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, error %v", text, err)
	}
	f.set(t, do(fault.KindEmpty))
	if text, err := f.send(t, create("Gold")); text != "" || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, error %v", text, err)
	}
	f.wantGroups(t, 0)
}

// With HTTP/2 only the stream ends.
func TestFaultsWithHTTP2(t *testing.T) {
	t.Parallel()
	f := &faulty{faults: &fault.Set{}}
	fixture := newFixture(t, dbtest.SQLite(t), server.Options{Faults: f.faults})
	f.socket = &socket{fixture, httptest.NewUnstartedServer(fixture)}
	f.EnableHTTP2 = true
	f.StartTLS()
	t.Cleanup(f.Close)
	base := "https://" + f.Listener.Addr().String()
	for _, kind := range []fault.Kind{fault.KindReset, fault.KindEmpty, fault.KindTruncate} {
		f.set(t, do(kind))
		r := newRequest("POST", base+f.path("/customer_groups"), f.vars["token"], `{"name":"`+string(kind)+`"}`)
		r.RequestURI = ""
		res, err := f.Client().Do(r)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "stream error") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
	f.wantGroups(t, 1) // a response that is cut off is one that the request got
}

// Half of the response comes, and Content-Length announces all of it.
func TestTruncate(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := serveFaulty(t, d, false)
		f.set(t, do(fault.KindTruncate))
		for _, header := range []string{"Accept: */*", "Accept-Encoding: gzip"} {
			text, err := f.send(t, func(w *wire) string { return w.whole("GET", "/time", "", header) })
			res, wrong := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
			if err != nil || wrong != nil {
				t.Fatalf("%q, error %v, %v", text, err, wrong)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if !errors.Is(err, io.ErrUnexpectedEOF) || res.StatusCode != http.StatusOK || int64(len(body)) != res.ContentLength/2 || !strings.HasPrefix(string(body), `{"time":`) {
				t.Errorf("%d, %d bytes of %d: %s, error %v", res.StatusCode, len(body), res.ContentLength, body, err)
			}
			f.wantLine(t, http.StatusOK)
		}
		text, err := f.send(t, func(w *wire) string { return w.whole("GET", "/customer_groups", "") })
		if text != "" || err != nil { // a 204 has no half
			t.Errorf("%q, error %v", text, err)
		}
	})
}

// A slow response comes whole, in pieces over the time.
func TestSlow(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		const total = 40 * time.Millisecond
		f := serveFaulty(t, d, false)
		f.set(t, fault.Rule{Action: fault.Action{Kind: fault.KindSlow, Duration: total}})
		begun := time.Now()
		w := f.dial(t)
		w.send(t, create("Gold")(w))
		_, body := w.read(t, "POST", http.StatusOK)
		if took := time.Since(begun); took < total || !strings.HasPrefix(body, `{"id":1,"name":"Gold"`) || !strings.HasSuffix(body, "}") {
			t.Errorf("after %s: %s", took, body)
		}
		f.wantLine(t, http.StatusOK)
	})
}

// A delay comes before the work, and a client that leaves does not undo the work.
func TestDelay(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		const delay = 30 * time.Millisecond
		f := serveFaulty(t, d, false)
		f.set(t, fault.Rule{Delay: delay, Times: 1}, fault.Rule{Delay: 25 * time.Second})
		begun := time.Now()
		f.mustDo(t, http.StatusOK, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Gold"}`)
		if took := time.Since(begun); took < delay {
			t.Errorf("the response came after %s", took)
		}
		f.wantLine(t, http.StatusOK)
		w := f.dial(t)
		w.send(t, create("Silver")(w))
		w.Close()
		f.wantLine(t, http.StatusOK)
		f.wantGroups(t, 2)
	})
}

// A timeout ends when the client gives up, and when the server is about to stop. The write
// happens only if the rule says so, and does so before the wait.
func TestTimeout(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := serveFaulty(t, d, false)
		f.set(t, do(fault.KindTimeout))
		w := f.dial(t)
		w.send(t, create("Gold")(w))
		w.Close()
		f.wantLine(t, 0)
		f.set(t, fault.Rule{Action: fault.Action{Kind: fault.KindTimeout, Commit: true}})
		f.Handler.(*server.Server).EndFaults()
		if text, err := f.send(t, create("Silver")); text != "" || err != nil {
			t.Errorf("got %q, error %v", text, err)
		}
		f.wantLine(t, 0)
		f.wantGroups(t, 1)
	})
}

// Requests that wait hold no connection to the database, so others are served.
func TestWaitHoldsNoConnection(t *testing.T) {
	t.Parallel()
	const waiting = 20
	f := serveFaulty(t, dbtest.SQLite(t), false)
	f.set(t, fault.Rule{Method: "POST", Action: fault.Action{Kind: fault.KindTimeout, Commit: true}})
	for i := range waiting {
		w := f.dial(t)
		w.send(t, create(fmt.Sprint("Gold ", i))(w))
	}
	want, deadline := fmt.Sprintf(`{"count":%d}`, waiting), time.Now().Add(socketTimeout)
	for got := ""; got != want; {
		got = f.mustDo(t, http.StatusOK, "GET", f.path("/customer_groups/count"), f.vars["token"], "").Body.String()
		for _, line := range f.log.drain() { // it has no space for the lines of all counts
			if strings.Contains(line, "operation=createGroup") {
				t.Errorf("a request did not wait: %s", line)
			}
		}
		if got != want && time.Now().After(deadline) {
			t.Fatalf("the store has %s groups, want %s", got, want)
		}
	}
	f.Handler.(*server.Server).EndFaults()
	for range waiting {
		f.wantLine(t, 0)
	}
}

// A fault before the token is checked does not need one, and is for the store of the path.
func TestFaultBeforeAuth(t *testing.T) {
	t.Parallel()
	f := serveFaulty(t, dbtest.SQLite(t), false)
	f.set(t, fault.Rule{BeforeAuth: true, Action: fault.Action{Kind: fault.KindStatus, Status: http.StatusBadGateway}})
	if got := f.mustDo(t, http.StatusBadGateway, "GET", f.path("/time"), "", "").Body.String(); got != `[{"status":502,"message":"Bad Gateway"}]` {
		t.Error(got)
	}
	f.wantLine(t, http.StatusBadGateway)
	f.mustDo(t, http.StatusUnauthorized, "GET", "/stores/other/v2/time", "", "")
	f.log.drain()
	f.set(t, fault.Rule{BeforeAuth: true, Action: fault.Action{Kind: fault.KindEmpty}})
	text, err := f.send(t, func(w *wire) string { return w.request("POST", "/customer_groups", "", `{"name":`, 900) })
	if text != "" || err != nil {
		t.Errorf("got %q, error %v", text, err)
	}
	f.wantLine(t, 0)
}

// The 429 of a fault has all headers and leaves the counters as they are. The limits come
// before faults, and their 429 is not a hit.
func TestThrottle(t *testing.T) {
	t.Parallel()
	faults := &fault.Set{}
	f := newFixture(t, dbtest.SQLite(t), server.Options{Faults: faults, Now: newClock().Now})
	f.meter(t, cohort.PlanStandard, 2)
	if _, err := faults.Put("abc", []fault.Rule{{Times: 3, Action: fault.Action{Kind: fault.KindStatus, Status: 429, RetryAfter: 9}}}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got := f.mustDo(t, http.StatusTooManyRequests, "GET", f.path("/time"), f.vars["token"], "")
		for name, want := range map[string]string{
			"X-Retry-After": "9", "X-Rate-Limit-Time-Window-Ms": "30000", "X-Rate-Limit-Time-Reset-Ms": "9000",
			"X-Rate-Limit-Requests-Quota": "2", "X-Rate-Limit-Requests-Left": "0", fault.Header: "1",
		} {
			if got.Header().Get(name) != want {
				t.Errorf("%s: %q, want %q", name, got.Header().Get(name), want)
			}
		}
		if got.Body.String() != tooMany {
			t.Error(got.Body)
		}
	}
	for _, left := range []string{"1", "0"} {
		got := f.mustDo(t, http.StatusOK, "GET", f.path("/time"), f.vars["token"], "")
		if got.Header().Get("X-Rate-Limit-Requests-Left") != left {
			t.Errorf("%s requests left, want %s", got.Header().Get("X-Rate-Limit-Requests-Left"), left)
		}
	}
	if _, err := faults.Put("abc", []fault.Rule{{Action: fault.Action{Kind: fault.KindStatus, Status: 500}}}); err != nil {
		t.Fatal(err)
	}
	f.mustDo(t, http.StatusTooManyRequests, "GET", f.path("/time"), f.vars["token"], "")
	f.mustDo(t, http.StatusUnauthorized, "GET", f.path("/time"), "wrong", "")
	if hits := faults.List("abc")[0].Hits; hits != 0 {
		t.Errorf("%d hits of requests that the checks have rejected", hits)
	}
}

// The header works only if the server has it, and is refused if it makes no sense.
func TestFaultHeader(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	f := newFixture(t, d, server.Options{FaultHeader: true})
	f.mustDo(t, http.StatusServiceUnavailable, "GET", f.path("/time"), f.vars["token"], "", fault.Header, "503")
	got := f.mustDo(t, http.StatusBadRequest, "GET", f.path("/time"), f.vars["token"], "", fault.Header, "207")
	if !strings.HasPrefix(got.Body.String(), `[{"status":400,"message":"The header X-Cohort-Fault cannot be used. 207 is for`) {
		t.Error(got.Body)
	}
	f.mustDo(t, http.StatusBadGateway, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Gold"}`, fault.Header, "commit-then 502")
	f.Handler = server.New(f.Service, server.Options{Faults: &fault.Set{}})
	f.mustDo(t, http.StatusOK, "GET", f.path("/customer_groups/1"), f.vars["token"], "", fault.Header, "503")
}

// A response that is too large to keep is still sent whole when it is slow, and its length
// is right when it is cut off.
func TestLargeFaultyResponse(t *testing.T) {
	t.Parallel()
	f := serveFaulty(t, dbtest.SQLite(t), false)
	rules := strings.Repeat(`{"type":"category","method":"percent","amount":"1","category_id":"%d"},`, 400)
	for i := range 40 {
		var ids []any
		for j := range 400 {
			ids = append(ids, j+1)
		}
		body := fmt.Sprintf(`{"name":"Group %d","discount_rules":[%s]}`, i, strings.TrimSuffix(fmt.Sprintf(rules, ids...), ","))
		f.mustDo(t, http.StatusOK, "POST", f.path("/customer_groups"), f.vars["token"], body)
	}
	want := f.mustDo(t, http.StatusOK, "GET", f.path("/customer_groups"), f.vars["token"], "").Body.String()
	if len(want) <= 1<<20 {
		t.Fatalf("the list has only %d bytes", len(want))
	}
	f.set(t, fault.Rule{Action: fault.Action{Kind: fault.KindSlow, Duration: time.Millisecond}})
	if got := f.mustDo(t, http.StatusOK, "GET", f.path("/customer_groups"), f.vars["token"], "").Body.String(); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	f.set(t, do(fault.KindTruncate))
	text, err := f.send(t, func(w *wire) string { return w.whole("GET", "/customer_groups", "") })
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	if err != nil || !strings.Contains(head, fmt.Sprintf("Content-Length: %d\r\n", len(want))) || !strings.HasPrefix(want, body) || len(body) != len(want)/2 {
		t.Errorf("%d bytes of %d after %s, error %v", len(body), len(want), head, err)
	}
}

// A 207 leaves the discount of a group in the outbox. Without another pricing system, the
// next change of the discount ends that.
func TestPartialFault(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		faults := &fault.Set{}
		f := newFixture(t, d, server.Options{Faults: faults})
		f.partial(t, faults, `{"name":"Gold",`+discount)
		f.mustDo(t, http.StatusOK, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"Silver"}`)
		f.wantWaiting(t, 1)
		f.partial(t, faults, `{"name":"Bronze",`+discount)
		f.wantWaiting(t, 2)
		f.mustDo(t, http.StatusOK, "PUT", f.path("/customer_groups/1"), f.vars["token"], "{"+discount)
		f.wantWaiting(t, 1)
		f.mustDo(t, http.StatusNoContent, "DELETE", f.path("/customer_groups/3"), f.vars["token"], "")
		f.wantWaiting(t, 0)
	})
}

// With another pricing system, a later request about the group sends its discount.
func TestPartialFaultWithPusher(t *testing.T) {
	t.Parallel()
	faults, pricing := &fault.Set{}, &countingPusher{}
	f := newFixture(t, dbtest.SQLite(t), server.Options{Faults: faults}, service.WithPusher(pricing))
	f.partial(t, faults, `{"name":"Gold",`+discount)
	f.wantWaiting(t, 1)
	if pricing.calls != 0 {
		t.Errorf("%d discounts were sent in spite of the fault", pricing.calls)
	}
	f.mustDo(t, http.StatusOK, "PUT", f.path("/customer_groups/1"), f.vars["token"], "{"+discount)
	f.wantWaiting(t, 0)
	if pricing.calls != 1 {
		t.Errorf("%d discounts were sent, want 1", pricing.calls)
	}
}

const discount = `"discount_rules":[{"type":"all","method":"percent","amount":"5"}]}`

// partial creates a group with a 207.
func (f *fixture) partial(t *testing.T, faults *fault.Set, body string) {
	t.Helper()
	half := fault.Rule{Operation: "createGroup", Action: fault.Action{Kind: fault.KindStatus, Status: http.StatusMultiStatus}}
	if _, err := faults.Put("abc", []fault.Rule{half}); err != nil {
		t.Fatal(err)
	}
	f.mustDo(t, http.StatusMultiStatus, "POST", f.path("/customer_groups"), f.vars["token"], body)
}

// countingPusher is another pricing system that takes every discount.
type countingPusher struct{ calls int }

func (p *countingPusher) PushSitewide(context.Context, service.SitewideDiscount) error {
	p.calls++
	return nil
}

// wantWaiting fails unless the outbox has a number of messages.
func (f *fixture) wantWaiting(t *testing.T, n int64) {
	t.Helper()
	counts, err := f.Service.Outbox().Counts(t.Context())
	if err != nil || counts.Waiting != n {
		t.Errorf("%d messages wait, want %d, error %v", counts.Waiting, n, err)
	}
}
