package console

import (
	"fmt"
	"strings"
	"testing"
)

func TestGroups(t *testing.T) {
	f := newFixture(t)
	golden(t, "groups-empty", f.get(t, f.path("groups")))
	f.api(t, "POST", "/v3/pricelists", `{"name":"Trade"}`)
	for _, body := range []string{
		`{"name":"Wholesale","is_default":true,"discount_rules":[{"type":"all","method":"percent","amount":5}]}`,
		`{"name":"<img src=x onerror=alert(1)>","discount_rules":[{"type":"price_list","price_list_id":1}]}`,
		`{"name":"Guests","is_group_for_guests":true}`,
	} {
		f.api(t, "POST", "/v2/customer_groups", body)
	}
	f.api(t, "POST", "/v2/customers", `{"first_name":"Ann","last_name":"Lee","email":"ann@example.com"}`)
	golden(t, "groups", f.get(t, f.path("groups")))
	if page := f.get(t, f.path("groups")+"?name=whole"); !strings.Contains(page, "1 group with “whole” in the name") || strings.Contains(page, "Guests</a>") {
		t.Error(page)
	}
	if page := f.get(t, f.path("groups")+"?name=none"); !strings.Contains(page, "No group has “none” in its name.") {
		t.Error(page)
	}
	if page := f.get(t, f.path("groups")+"?page=9"); !strings.Contains(page, "The list ends before this page.") {
		t.Error(page)
	}
}

func TestPagesOfGroups(t *testing.T) {
	f := newFixture(t)
	for i := range 2*pageSize + 1 {
		f.api(t, "POST", "/v2/customer_groups", fmt.Sprintf(`{"name":"Group %d"}`, i))
	}
	page := f.get(t, f.path("groups")+"?name=Group&page=2")
	for _, want := range []string{
		`<a rel="prev" href="/console/stores/abc/groups?name=Group&amp;page=1">`, `<a rel="next" href="/console/stores/abc/groups?name=Group&amp;page=3">`,
		"<caption>101 groups with",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	if page := f.get(t, f.path("groups")+"?page=3"); strings.Contains(page, `rel="next"`) || !strings.Contains(page, ">Group 100</a>") {
		t.Error(page)
	}
}
