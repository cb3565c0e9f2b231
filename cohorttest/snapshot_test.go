package cohorttest_test

import (
	"testing"

	"cohort.example/cohort/cohorttest"
)

// TestSnapshots: a test goes back to a state that it has saved.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	store, token := c.TempStore(t)
	groups := c.URL + "/stores/" + store + "/v2/customer_groups"
	call(t, "POST", groups, token, `{"name":"Wholesale"}`)
	c.Snapshot(t, store, "one")
	call(t, "POST", groups, token, `{"name":"Retail"}`)
	c.Restore(t, store, "one")
	if _, body := call(t, "GET", groups+"/count", token, ""); body != `{"count":1}` {
		t.Errorf("after Restore: %s", body)
	}
	c.Reset(t, store)
	if _, body := call(t, "GET", groups+"/count", token, ""); body != `{"count":0}` {
		t.Errorf("after a reset without a seed: %s", body)
	}
	wantFailure(t, "two", func(t testing.TB) { c.Restore(t, store, "two") })
	wantFailure(t, "A name is", func(t testing.TB) { c.Snapshot(t, store, "no name") })
}
