package cohorttest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"cohort.example/cohort/cohorttest"
)

// TestSeed: a store begins with what a file says.
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
	call(t, "DELETE", groups, token, "")
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
