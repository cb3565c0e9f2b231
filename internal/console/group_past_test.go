package console

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
)

func TestPastGroup(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	if err := f.svc.Clocks().Advance(f.store.Key, time.Hour); err != nil {
		t.Fatal(err)
	}
	f.api(t, "PUT", "/v2/customer_groups/1", `{"name":"Renamed","discount_rules":[{"type":"price_list","price_list_id":"1"}]}`)
	f.api(t, "PUT", "/v2/customers/1", `{"customer_group_id":2}`)
	path := f.path("groups", "1", "as-of")
	page := f.get(t, path+"?at=2026-11-03+09:30")
	golden(t, "group-past", page)
	if strings.Contains(page, "<img") {
		t.Error("a name is HTML")
	}
	f.api(t, "DELETE", "/v2/customer_groups/1", "")
	if page := f.get(t, path+"?at=2026-11-03+09:30"); !strings.Contains(page, "The group is deleted since.") {
		t.Error(page)
	}
	if page := f.get(t, path); !strings.Contains(page, "Give a time to see") {
		t.Error(page)
	}
	for query, want := range map[string]string{
		"?at=":                 "Give a time in UTC",
		"?at=soon":             "Give a time in UTC",
		"?at=2026-11-02":       "The events of the store reach back to",
		"?at=2026-12-02":       "The time has not come yet.",
		"?at=2026-11-03+10:30": "There was no group with this id at that time.",
	} {
		page := f.send(t, "GET", path+query, nil, http.StatusUnprocessableEntity)
		if !strings.Contains(page, `<p class="wrong" id="at-error">`+want) {
			t.Errorf("%s: %s is not in\n%s", query, want, page)
		}
	}
	if _, err := f.svc.UpdateStore(t.Context(), "abc", cohort.StoreUpdate{Events: new(false)}); err != nil {
		t.Fatal(err)
	}
	if page := f.send(t, "GET", path+"?at=2026-11-03+09:30", nil, http.StatusUnprocessableEntity); !strings.Contains(page, "The store records no events") {
		t.Error(page)
	}
}
