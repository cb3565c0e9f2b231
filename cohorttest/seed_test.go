package cohorttest_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"cohort.example/cohort/cohorttest"
)

// TestSeed: a store begins with what a file says, and Reset goes back to it.
func TestSeed(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	store, token := c.TempStore(t)
	groups := c.URL + "/stores/" + store + "/v2/customer_groups"
	files := fstest.MapFS{"shop.yaml": {Data: []byte("customer_groups:\n- name: Wholesale\n- name: Retail\n")}}
	count := func() string {
		t.Helper()
		_, body := call(t, "GET", groups+"/count", token, "")
		return body
	}

	c.Seed(t, store, files, "shop.yaml")
	call(t, "POST", groups, token, `{"name":"Friends"}`)
	if got := count(); got != `{"count":3}` {
		t.Errorf("with a seed of two groups and a third one: %s", got)
	}
	exported := c.Export(t, store)
	c.Faults(store).Set(t, `{"operation":"countGroups","action":{"status":503}}`)
	c.Limits(store).SetOperations(t, map[string]int{"countGroups": 1})
	c.Clock(store).Freeze(t, time.Unix(0, 0))

	c.Reset(t, store)
	if now := c.Clock(store).Now(t); len(c.Faults(store).List(t)) != 0 || len(c.Requests(store).List(t)) != 0 || now.Unix() == 0 {
		t.Errorf("after a reset there are faults or requests, or it is %s", now)
	}
	if got := count(); got != `{"count":2}` {
		t.Errorf("after a reset: %s", got)
	}
	c.SeedText(t, store, exported)
	if got := count(); got != `{"count":3}` {
		t.Errorf("seeded with its export: %s", got)
	}

	wantFailure(t, "shop.json: ", func(t testing.TB) {
		c.Seed(t, store, fstest.MapFS{"shop.json": {Data: []byte(`{"customer_groups":[{"nam":"x"}]}`)}}, "shop.json")
	})
	wantFailure(t, "missing.yaml", func(t testing.TB) { c.Seed(t, store, files, "missing.yaml") })
	if got := count(); got != `{"count":3}` {
		t.Errorf("after seeds with mistakes: %s", got)
	}
	if other, _ := c.TempStore(t); strings.Contains(c.Export(t, other), "Wholesale") {
		t.Error("another store has the seed")
	}
}
