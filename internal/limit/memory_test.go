package limit

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Many at once get the quota between them, no more and no less.
func TestMemoryAtOnce(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	const callers, each, quota = 16, 100, 777
	var granted atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range each {
				d, done := m.Admit(Request{Store: "shared", Operation: "list", Concurrency: callers, Quota: quota, Metered: true})
				if d.Refused == "" {
					granted.Add(1)
				}
				done()
				m.Admit(Request{Store: strconv.Itoa(i*each + j), Quota: 1, Metered: true}) // so that the map grows and is purged meanwhile
			}
		})
	}
	wg.Wait()
	if granted.Load() != quota {
		t.Errorf("%d callers got %d of a quota of %d", callers, granted.Load(), quota)
	}
	if len(m.busy) != 0 {
		t.Errorf("after the end of all there are under way: %v", m.busy)
	}
}

// trial is a call of an operation with a rate, about one of a store's customers.
func trial(customer int) Request {
	return Request{Store: "abc", Operation: "validatePassword", PerPath: 10, PerStore: 300, Path: strconv.Itoa(customer)}
}

// A caller who goes on and on past a store's rate, each time about another
// customer, does not fill the memory.
func TestRefusedRatesKeepNothing(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	refusals := 0
	for i := range 5000 {
		if d, _ := m.Admit(trial(i)); d.Refused != "" {
			refusals++
		}
	}
	if refusals != 5000-300 {
		t.Errorf("%d of 5000 calls are refused, want all but 300", refusals)
	}
	if kept := len(m.rates.spans); kept > 301 {
		t.Errorf("%d windows are kept for the 300 calls that were let in", kept)
	}
}

// Whoever goes on guessing about one customer uses up the trials of no other.
func TestRefusedPathLeavesStore(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	for i := range 1000 {
		if d, _ := m.Admit(trial(1)); (d.Refused == "") != (i < 10) {
			t.Fatalf("call %d about one customer: %+v", i+1, d)
		}
	}
	others := 0
	for i := range 1000 {
		if d, _ := m.Admit(trial(1000 + i)); d.Refused == "" {
			others++
		}
	}
	if others != 290 {
		t.Errorf("of the store's 300 calls 10 were let in, and then %d others, want 290", others)
	}
}

// A trial for which no quota is left is no trial.
func TestRefusedQuotaLeavesRate(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	r := trial(1)
	r.Quota, r.Metered = 4, true
	for i := range 100 {
		if d, _ := m.Admit(r); (d.Refused == "") != (i < 4) || i >= 4 && d.Refused != Quota {
			t.Fatalf("call %d: %+v", i+1, d)
		}
	}
	c.advance(quotaLength)
	r.Quota = 100
	for i := range 20 {
		if d, _ := m.Admit(r); (d.Refused == "") != (i < 6) || i >= 6 && d.Refused != Rate {
			t.Fatalf("call %d of the next window: %+v; 4 of 10 trials are used", i+1, d)
		}
	}
}

// What counts along does not lock out: the places of requests that others let
// in are free when these end.
func TestNoteIsCounted(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	r := Request{Store: "abc", Operation: "list", Concurrency: 2, Quota: 4, Metered: true}
	ends := []func(){m.note(r), m.note(r), m.note(r)}
	if d, _ := m.Admit(r); d.Refused != Concurrency || d.Quota.Left != 1 {
		t.Fatalf("with three under way: %+v", d)
	}
	ends[0]()
	ends[1]()
	d, done := m.Admit(r)
	if want := (Usage{Limit: 4, Left: 0, Reset: 30 * time.Second}); d.Refused != "" || d.Quota != want {
		t.Errorf("with one under way: %+v", d)
	}
	done()
	ends[2]()
	if len(m.busy) != 0 {
		t.Errorf("after the end of all there are under way: %v", m.busy)
	}
}
