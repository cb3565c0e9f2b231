package cohorttest

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/control"
)

// Limits are the limits of a store.
type Limits struct {
	server *Server
	store  string
}

// Limits returns the limits of the store with a hash.
func (s *Server) Limits(store string) Limits { return Limits{s, store} }

// SetQuota sets how many requests the store may make in 30 seconds. 0 removes the quota.
func (l Limits) SetQuota(t testing.TB, requests int) {
	t.Helper()
	plan := cohort.PlanStandard
	if requests == 0 {
		plan = cohort.PlanUnlimited
	}
	_, err := l.server.service.UpdateStore(t.Context(), l.server.store(t, l.store).Key, cohort.StoreUpdate{Plan: &plan, Quota: &requests})
	if err != nil {
		t.Fatal(err)
	}
}

// SetOperations sets how many requests of an operation may run at the same time, by its
// name in the OpenAPI document. It replaces what an earlier call has set; nil restores the
// limits that the operations have.
func (l Limits) SetOperations(t testing.TB, operations map[string]int) {
	t.Helper()
	counted, err := control.LimitedOperations(l.server.dialects, operations)
	if err != nil {
		t.Fatal(err)
	}
	l.server.limits.SetConcurrency(l.server.store(t, l.store).Key, counted)
}

// Exhaust uses up the quota, so that the next request gets a 429. A store without a quota
// fails the test.
func (l Limits) Exhaust(t testing.TB) {
	t.Helper()
	st := l.server.store(t, l.store)
	quota, metered := st.RequestQuota()
	if !metered {
		t.Fatalf("the store %q has no quota; SetQuota sets one", l.store)
	}
	l.server.limits.Exhaust(st.Key, quota)
}

// Refill forgets what was used of the quota and of the rate limits.
func (l Limits) Refill(t testing.TB) {
	t.Helper()
	l.server.limits.Refill(l.server.store(t, l.store).Key)
}

// Left returns how many requests the quota leaves, or false if the store has none.
func (l Limits) Left(t testing.TB) (requests int, metered bool) {
	t.Helper()
	st := l.server.store(t, l.store)
	quota, metered := st.RequestQuota()
	if !metered {
		return 0, false
	}
	return l.server.limits.QuotaUsage(st.Key, quota).Left, true
}
