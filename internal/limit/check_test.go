package limit

import (
	"testing"

	"cohort.example/cohort/internal/limit/redistest"
)

// TestPeekUsesUpNothing: however often the limits are looked at, the next request
// finds them as they were.
func TestPeekUsesUpNothing(t *testing.T) {
	r := everything()
	r.Concurrency, r.PerPath, r.PerStore, r.Quota = 1, 1, 1, 1
	shared := mustShare(t, redistest.URL(t), patient)
	alone := mustShare(t, redistest.URL(t), patient)
	alone.sharing.Store(false)
	for name, l := range map[string]Limiter{"memory": NewMemory(newClock().now), "redis": shared, "without redis": alone} {
		r := r
		r.Store = newStore()
		for range 3 {
			if d := l.Peek(r); d.Refused != "" || d.Quota.Left != 1 {
				t.Errorf("%s: a look says %+v", name, d)
			}
		}
		d, done := l.Admit(r)
		if d.Refused != "" {
			t.Errorf("%s: after looks it is refused by %s", name, d.Refused)
		}
		if d := l.Peek(r); d.Refused != Concurrency || d.RetryAfter != 1 || d.Quota.Left != 0 {
			t.Errorf("%s: while one is under way a look says %+v", name, d)
		}
		done()
		if d := l.Peek(r); d.Refused != Rate {
			t.Errorf("%s: when it is over a look says %+v", name, d)
		}
		if d := l.Peek(Request{Store: r.Store, Operation: "free"}); d != (Decision{}) {
			t.Errorf("%s: without limits a look says %+v", name, d)
		}
	}
}
