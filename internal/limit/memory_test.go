package limit

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Concurrent requests together get exactly the quota.
func TestMemoryConcurrently(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	const callers, each, quota = 16, 100, 777
	var granted atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range each {
				d, done := m.Admit(Request{Store: "shared", Operation: "list", Concurrency: callers, Quota: quota, Metered: true})
				if d.RejectedBy == "" {
					granted.Add(1)
				}
				done()
				m.Admit(Request{Store: strconv.Itoa(i*each + j), Quota: 1, Metered: true}) // makes the map grow and be purged
			}
		})
	}
	wg.Wait()
	if granted.Load() != quota {
		t.Errorf("%d callers got %d requests of a quota of %d", callers, granted.Load(), quota)
	}
	if len(m.running) != 0 {
		t.Errorf("still running: %v", m.running)
	}
}

// passwordCheck returns a request of an operation with a rate limit.
func passwordCheck(customer int) Request {
	return Request{Store: "abc", Operation: "validatePassword", PerPath: 10, PerStore: 300, Path: strconv.Itoa(customer)}
}

// Requests beyond a store's rate limit take no memory, even if each has another path.
func TestRejectedRatesTakeNoMemory(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	rejected := 0
	for i := range 5000 {
		if d, _ := m.Admit(passwordCheck(i)); d.RejectedBy != "" {
			rejected++
		}
	}
	if rejected != 5000-300 {
		t.Errorf("%d of 5000 calls were rejected, want all but 300", rejected)
	}
	if n := len(m.rates.counters); n > 301 {
		t.Errorf("%d counters for 300 admitted calls, want at most 301", n)
	}
}

// Requests beyond the rate limit of a path do not count for the store.
func TestRejectedPathUsesNoStoreRate(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	for i := range 1000 {
		if d, _ := m.Admit(passwordCheck(1)); (d.RejectedBy == "") != (i < 10) {
			t.Fatalf("call %d for one customer: %+v", i+1, d)
		}
	}
	others := 0
	for i := range 1000 {
		if d, _ := m.Admit(passwordCheck(1000 + i)); d.RejectedBy == "" {
			others++
		}
	}
	if others != 290 {
		t.Errorf("after 10 of 300 calls, %d further calls were admitted, want 290", others)
	}
}

// Requests beyond the quota do not count for the rate limit.
func TestRejectedQuotaUsesNoRate(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	r := passwordCheck(1)
	r.Quota, r.Metered = 4, true
	for i := range 100 {
		if d, _ := m.Admit(r); (d.RejectedBy == "") != (i < 4) || i >= 4 && d.RejectedBy != Quota {
			t.Fatalf("call %d: %+v", i+1, d)
		}
	}
	c.advance(quotaWindow)
	r.Quota = 100
	for i := range 20 {
		if d, _ := m.Admit(r); (d.RejectedBy == "") != (i < 6) || i >= 6 && d.RejectedBy != Rate {
			t.Fatalf("call %d of the next window: %+v; 4 of 10 calls per minute are used", i+1, d)
		}
	}
}

// Requests that Redis has admitted are recorded even beyond the local limits, and their
// slots are free when they end.
func TestRecord(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	r := Request{Store: "abc", Operation: "list", Concurrency: 2, Quota: 4, Metered: true}
	ends := []func(){m.record(r), m.record(r), m.record(r)}
	if d, _ := m.Admit(r); d.RejectedBy != Concurrency || d.Quota.Left != 1 {
		t.Fatalf("with three requests running: %+v", d)
	}
	ends[0]()
	ends[1]()
	d, done := m.Admit(r)
	if want := (Usage{Limit: 4, Left: 0, Reset: 30 * time.Second}); d.RejectedBy != "" || d.Quota != want {
		t.Errorf("with one request running: %+v", d)
	}
	done()
	ends[2]()
	if len(m.running) != 0 {
		t.Errorf("still running: %v", m.running)
	}
}

// What tests of an integration change: what is used of the limits of one store, and its
// concurrency limits.
func TestMemoryIsChanged(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	quota := func(store string) Request { return Request{Store: store, Operation: "list", Quota: 5, Metered: true} }
	rated := func(store string) Request {
		return Request{Store: store, Operation: "check", Path: "7//", PerPath: 1, PerStore: 9}
	}
	wantRejected := func(what string, r Request, limit string) {
		t.Helper()
		d, done := m.Admit(r)
		done()
		if d.RejectedBy != limit {
			t.Errorf("%s: rejected by %q, want %q", what, d.RejectedBy, limit)
		}
	}
	m.Exhaust("a", 5)
	wantRejected("an exhausted quota", quota("a"), Quota)
	wantRejected("another store's", quota("b"), "")
	if u := m.QuotaUsage("a", 5); u != (Usage{5, 0, quotaWindow}) {
		t.Errorf("the usage is %+v", u)
	}
	wantRejected("the first call", rated("a"), "")
	wantRejected("the first call of another store", rated("a2"), "")
	wantRejected("the second", rated("a"), Rate)
	m.Refill("a")
	wantRejected("a refilled quota", quota("a"), "")
	wantRejected("a refilled rate", rated("a"), "")
	wantRejected("a rate of another store", rated("a2"), Rate)
	m.Exhaust("a", 5)
	c.advance(quotaWindow)
	wantRejected("the next window", quota("a"), "")

	unlimited := Request{Store: "a", Operation: "get"}
	m.SetConcurrency("a", map[string]int{"get": 1})
	_, done := m.Admit(unlimited)
	wantRejected("one too many", unlimited, Concurrency)
	wantRejected("another store's operation", Request{Store: "b", Operation: "get"}, "")
	if got := m.Concurrency("a"); got["get"] != 1 || len(got) != 1 {
		t.Errorf("the limits are %v", got)
	}
	m.SetConcurrency("a", nil)
	wantRejected("without the limit", unlimited, "")
	done() // of a request that was counted when there was a limit
	if len(m.running) > 0 {
		t.Errorf("still running: %v", m.running)
	}
}
