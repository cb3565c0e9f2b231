package console

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// withPriceList is a fixture with a group, and a list with the price of one variant.
func withPriceList(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"<img src=x onerror=alert(1)>"}`)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"Ruled","discount_rules":[{"type":"all","method":"percent","amount":5}]}`)
	f.api(t, "POST", "/v3/catalog/products", `{"name":"Linen shirt","sku":"LINEN","type":"physical","weight":1,"price":29.95}`)
	f.api(t, "POST", "/v3/pricelists", `{"name":"Trade"}`)
	f.api(t, "PUT", "/v3/pricelists/1/records", `[{"sku":"LINEN","currency":"usd","price":20,"bulk_pricing_tiers":[{"quantity_min":2,"quantity_max":0,"type":"percent","amount":10}]}]`)
	return f
}

func TestPriceLists(t *testing.T) {
	f := newFixture(t)
	wantAll(t, f.get(t, f.path("pricelists")), "This store has no price list.")
	wantAll(t, f.post(t, f.path("pricelists"), url.Values{"name": {""}}, 422), `id="name-error"`)
	wantAll(t, f.follow(t, f.path("pricelists"), url.Values{"name": {"<b>Trade</b>"}}), "&lt;b&gt;Trade&lt;/b&gt;", "The list has no prices yet.", "It is assigned to nobody")
	wantAll(t, f.get(t, f.path("pricelists")+"?name=trade"), "1 price list", "&lt;b&gt;Trade")
	wantAll(t, f.get(t, f.path("pricelists")+"?name=none"), "No price list has “none” in its name.")
	f.send(t, "GET", f.path("pricelists", "2"), nil, 404)
}

func TestPriceList(t *testing.T) {
	f := withPriceList(t)
	wantAll(t, f.get(t, f.path("pricelists", "1")), "LINEN</a>", `<td>USD</td>`, `<td class="number">20</td>`, "2 and more: 10% off", "&lt;img src=x")
	wantAll(t, f.get(t, f.path("pricelists", "1")+"?sku=none"), "The list has no price of this SKU.")
	wantAll(t, f.post(t, f.path("pricelists", "1"), url.Values{"name": {" "}}, 422), `id="name-error"`)
	wantAll(t, f.follow(t, f.path("pricelists", "1"), url.Values{"name": {"Retail"}}), "<h1>Retail", "not active")
}

// Assignments are made and ended, and a group with rules gets none.
func TestAssignments(t *testing.T) {
	f := withPriceList(t)
	page := f.follow(t, f.path("pricelists", "1", "assign"), url.Values{"group": {"1"}, "channel": {"0"}})
	wantAll(t, page, "1 assignment", "&lt;img src=x onerror=alert(1)&gt;</a>", "all channels")
	if strings.Contains(page, "<img") {
		t.Error(page)
	}
	wantAll(t, f.post(t, f.path("pricelists", "1", "assign"), url.Values{"group": {"2"}, "channel": {"0"}}, 422), `role="alert"`, `<option value="2" selected>`)
	f.post(t, f.path("pricelists", "1", "assign"), url.Values{"group": {"1"}, "channel": {"0"}}, 422)
	f.post(t, f.path("pricelists", "1", "assign"), nil, 400)
	wantAll(t, f.post(t, f.path("pricelists", "1", "unassign"), url.Values{"assignment": {"1"}}, 200), "0 members of the group &lt;img src=x onerror=alert(1)&gt; in all channels get other prices")
	f.post(t, f.path("pricelists", "1", "unassign"), nil, 400)
	f.post(t, f.path("pricelists", "1", "unassign"), url.Values{"assignment": {"9"}, "members": {"0"}}, 303)
	f.api(t, "POST", "/v2/customers", `{"first_name":"Ann","last_name":"Lee","email":"ann@example.com","customer_group_id":1}`)
	wantAll(t, f.post(t, f.path("pricelists", "1", "unassign"), url.Values{"assignment": {"1"}, "members": {"0"}}, 200), "1 member of the group")
	wantAll(t, f.follow(t, f.path("pricelists", "1", "unassign"), url.Values{"assignment": {"1"}, "members": {"1"}}), "It is assigned to nobody")
}

// Deleting asks with what the list takes along, again if that has changed.
func TestDeletePriceList(t *testing.T) {
	f := withPriceList(t)
	wantAll(t, f.post(t, f.path("pricelists", "1", "delete"), nil, 200), "It takes 1 price and 0 assignments along.")
	f.post(t, f.path("pricelists", "1", "assign"), url.Values{"group": {"1"}, "channel": {"0"}}, 303)
	wantAll(t, f.post(t, f.path("pricelists", "1", "delete"), url.Values{"takes": {"1/0"}}, 200), "1 price and 1 assignment along.")
	f.post(t, f.path("pricelists", "1", "delete"), url.Values{"takes": {"1/1"}}, 303)
	f.send(t, "GET", f.path("pricelists", "1"), nil, 404)
}

func TestPagesOfRecords(t *testing.T) {
	f := withPriceList(t)
	var records []string
	for i := range pageSize {
		f.api(t, "POST", "/v3/catalog/products", fmt.Sprintf(`{"name":"Product %d","sku":"SKU-%d","type":"physical","weight":1,"price":1}`, i, i))
		records = append(records, fmt.Sprintf(`{"sku":"SKU-%d","currency":"usd","price":2}`, i))
	}
	f.api(t, "PUT", "/v3/pricelists/1/records", "["+strings.Join(records, ",")+"]")
	page := f.get(t, f.path("pricelists", "1"))
	wantAll(t, page, "LINEN</a>", `rel="next" href="/console/stores/abc/pricelists/1?after=50%2FUSD"`)
	wantAll(t, f.get(t, f.path("pricelists", "1")+"?after=50%2FUSD"), "SKU-49</a>", `rel="prev"`)
	f.send(t, "GET", f.path("pricelists", "1")+"?after=x", nil, 422)
}
