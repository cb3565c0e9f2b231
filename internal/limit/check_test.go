package limit

import (
	"testing"

	"cohort.example/cohort/internal/limit/redistest"
)

// Check uses up nothing, and decides like the next Admit.
func TestCheck(t *testing.T) {
	r := allLimits()
	r.Concurrency, r.PerPath, r.PerStore, r.Quota = 1, 1, 1, 1
	shared := mustShare(t, redistest.URL(t), patientTiming)
	local := mustShare(t, redistest.URL(t), patientTiming)
	local.sharing.Store(false)
	for name, l := range map[string]Limiter{"memory": NewMemory(newClock().now), "redis": shared, "without redis": local} {
		r := r
		r.Store = newStore()
		for range 3 {
			if d := l.Check(r); d.RejectedBy != "" || d.Quota.Left != 1 {
				t.Errorf("%s: check %+v", name, d)
			}
		}
		d, done := l.Admit(r)
		if d.RejectedBy != "" {
			t.Errorf("%s: after checks, rejection by %s", name, d.RejectedBy)
		}
		if d := l.Check(r); d.RejectedBy != Concurrency || d.RetryAfter != 1 || d.Quota.Left != 0 {
			t.Errorf("%s: while a request runs: check %+v", name, d)
		}
		done()
		if d := l.Check(r); d.RejectedBy != Rate {
			t.Errorf("%s: after the request: check %+v", name, d)
		}
		if d := l.Check(Request{Store: r.Store, Operation: "unlimited"}); d != (Decision{}) {
			t.Errorf("%s: without limits: check %+v", name, d)
		}
	}
}
