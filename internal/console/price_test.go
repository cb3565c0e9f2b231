package console

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/limit"
)

// script is the name of a group that would run in a page that does not escape it.
const script = "<img src=x onerror=alert(1)>"

// fillCatalog fills the store with a product that has variants, bulk prices and a sale price, a
// hidden one, the groups 1 (with rules) and 2 (for guests), customer 1 of group 1, and a price
// list of the channel.
func (f *fixture) fillCatalog(t *testing.T) {
	t.Helper()
	for _, r := range [][3]string{
		{"POST", "/v3/catalog/categories", `{"name":"Clothes","parent_id":0}`},
		{"POST", "/v3/catalog/categories", `{"name":"Shirts","parent_id":1}`},
		{"POST", "/v3/catalog/categories", `{"name":"Secret","parent_id":0}`},
		{"POST", "/v3/catalog/products", `{"name":"Linen shirt","sku":"LIN","type":"physical","weight":1,"price":49.99,"sale_price":44.99,"categories":[2],
			"bulk_pricing_rules":[{"quantity_min":10,"quantity_max":19,"type":"percent","amount":5},{"quantity_min":20,"quantity_max":0,"type":"price","amount":10}],
			"variants":[{"sku":"LIN-S","option_values":[{"option_display_name":"Size","label":"S"}]},
				{"sku":"LIN-L","price":59.99,"option_values":[{"option_display_name":"Size","label":"L"}]}]}`},
		{"POST", "/v3/catalog/products", `{"name":"Hidden ` + script + `","sku":"HID","type":"physical","weight":1,"price":10,"categories":[3]}`},
		{"POST", "/v2/customer_groups", `{"name":"` + script + `","discount_rules":[{"type":"category","category_id":"1","method":"percent","amount":"5"},
			{"type":"category","category_id":"2","method":"percent","amount":"12"},{"type":"all","method":"percent","amount":"3"},
			{"type":"product","product_id":"2","method":"fixed","amount":"12"}],"category_access":{"type":"specific","categories":[1]}}`},
		{"POST", "/v2/customer_groups", `{"name":"Visitors","is_group_for_guests":true}`},
		{"POST", "/v3/pricelists", `{"name":"Trade","active":true}`},
		{"PUT", "/v3/pricelists/1/records", `[{"sku":"LIN","currency":"usd","price":39,"sale_price":38},{"sku":"LIN-L","currency":"eur","price":30}]`},
		{"POST", "/v3/pricelists/assignments", `[{"price_list_id":1,"channel_id":1}]`},
		{"POST", "/v3/customers", `[{"first_name":"Ada","last_name":"Lovelace","email":"ada@example.com","customer_group_id":1}]`},
	} {
		if body := f.api(t, r[0], r[1], r[2]); strings.Contains(body, `"status":4`) || strings.Contains(body, `"title"`) || strings.Contains(body, "[{\"status\"") {
			t.Fatalf("%s %s: %s", r[0], r[1], body)
		}
	}
}

func TestPrice(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	golden(t, "prices-empty", f.get(t, f.path("prices")))
	golden(t, "prices", f.get(t, f.path("prices")+"?for=customer&id=ADA@example.com&product=LIN&quantity=12"))
	for name, test := range map[string]struct{ query, want string }{
		"the variant of a SKU":        {"?for=group&id=1&product=LIN-L", "variant 3 (LIN-L)"},
		"a guest":                     {"?for=guest&product=1", `<p class="amount">38.00 USD</p>`},
		"the sale price of a list":    {"?for=guest&product=1", "of the channel: sale price 38 instead of 39"},
		"a shopper in no group":       {"?for=group&id=0&product=1", "in no group"},
		"a currency with a list only": {"?for=guest&product=1&variant=3&currency=eur", "30.00 EUR"},
		"a hidden product":            {"?for=group&id=1&product=HID", "This shopper does not see the product. The group may see none of the product&#39;s categories."},
		"a product that costs more":   {"?for=group&id=1&product=2", `<p class="amount">12.00 USD</p>`},
		"the command line":            {"?for=group&id=1&product=1&variant=2&quantity=3", "cohort price --store abc --product 1 --variant 2 --group 1 --explain"},
	} {
		page := f.get(t, f.path("prices")+test.query)
		if !strings.Contains(page, test.want) {
			t.Errorf("%s: %s is not in\n%s", name, test.want, page)
		}
		if strings.Contains(page, "<img") {
			t.Errorf("%s: a name is HTML", name)
		}
	}
}

// Each problem is told at the input that it is about.
func TestPriceProblems(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	for query, want := range map[string]string{
		"?for=customer&id=9&product=1":                  `id-error">There is no customer 9.`,
		"?for=customer&id=&product=1":                   `id-error">Give the id or the e-mail of a customer.`,
		"?for=customer&id=eve@example.com&product=1":    `id-error">There is no customer with the e-mail eve@example.com.`,
		"?for=group&id=9&product=1":                     `id-error">There is no customer group 9.`,
		"?for=everybody&product=1":                      `for-error">Prices are for a customer, a group or a guest.`,
		"?for=guest&product=":                           `product-error">Give the id or the SKU of a product.`,
		"?for=guest&product=77":                         `product-error">There is no product with the id or the SKU 77.`,
		"?for=guest&product=%3Cimg":                     `product-error">There is no product with the id or the SKU &lt;img.`,
		"?for=guest&product=1&variant=99":               `variant-error">There is no variant 99.`,
		"?for=guest&product=1&variant=x":                `variant-error">Give the id of a variant`,
		"?for=guest&product=1&quantity=0":               `quantity-error">Give a whole number of at least 1.`,
		"?for=guest&product=1&channel=-1":               `channel-error">Give the id of a channel.`,
		"?for=guest&product=1&currency=XXX":             `currency-error">A currency is a code of ISO 4217`,
		"?for=guest&product=1&currency=JPY":             `There is no price in JPY.`,
		"?for=guest&product=1&as_of=yesterday":          `as_of-error">Give a time in UTC`,
		"?for=guest&product=1&as_of=2027-01-01":         `as_of-error">The time has not come yet.`,
		"?for=guest&product=1&as_of=1999-01-01T00:00Z":  `as_of-error">Give a time in UTC`,
		"?for=guest&product=1&as_of=1999-01-01%2000:00": `as_of-error">The events of the store reach back to`,
	} {
		page := f.send(t, "GET", f.path("prices")+query, nil, http.StatusUnprocessableEntity)
		if !strings.Contains(page, want) {
			t.Errorf("%s: %s is not in\n%s", query, want, page)
		}
	}
}

// The price of a past time is that of the rules of then, also of a product that is deleted.
func TestPriceOfThePast(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	at := now().Format(time.RFC3339)
	if err := f.svc.Clocks().Advance(f.store.Key, time.Hour); err != nil {
		t.Fatal(err)
	}
	f.api(t, "DELETE", "/v3/catalog/products/1", "")
	page := f.get(t, f.path("prices")+"?for=group&id=1&product=1&as_of="+at)
	if !strings.Contains(page, `<p class="amount">39.59 USD</p>`) || !strings.Contains(page, "as of 2026-11-03 09:30:00 UTC") {
		t.Error(page)
	}
}

// A page that asks for a price waits for its turn among the expensive requests.
func TestPriceIsExpensive(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	f.Expensive = limit.NewFairQueue(limit.FairQueueOptions{Name: limit.ExpensiveRequests, Concurrency: 1})
	release, err := f.Expensive.Acquire(context.Background(), "other")
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"prices?for=guest&product=1", "access?for=guest&product=1"} {
		page := f.send(t, "GET", f.path()+"/"+query, nil, http.StatusTooManyRequests)
		if !strings.Contains(page, "Try again in a few seconds.") {
			t.Error(page)
		}
	}
	release()
	f.get(t, f.path("prices")+"?for=guest&product=1")
	if running, _ := f.Expensive.Usage(); running != 0 {
		t.Errorf("%d answers are still computed", running)
	}
}

func TestAccess(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	golden(t, "access", f.get(t, f.path("access")+"?for=customer&id=1&product=HID"))
	for query, want := range map[string]string{
		"":                                      "Say for whom",
		"?for=group&id=1&product=1":             `<p class="amount">Visible</p>`,
		"?for=group&id=1&category=2":            "The group may see category 1, and category 2 is below it.",
		"?for=guest&category=3":                 "The group may see the whole catalog.",
		"?for=group&id=0&product=HID":           "A shopper in no group may see the whole catalog.",
		"?for=group&id=1&product=LIN":           "1 category with all that is below: Clothes (1)",
		"?for=group&id=1&product=HID&channel=1": `<span class="tag bad">hidden</span>`,
	} {
		page := f.get(t, f.path("access")+query)
		if !strings.Contains(page, want) {
			t.Errorf("%s: %s is not in\n%s", query, want, page)
		}
		if strings.Contains(page, "<img") {
			t.Errorf("%s: a name is HTML", query)
		}
	}
	if _, err := f.svc.UpdateStore(t.Context(), "abc", cohort.StoreUpdate{Catalog: new(cohort.CatalogManaged)}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"?for=guest&category=99": `category-error">There is no category 99.`,
		"?for=guest&category=x":  `category-error">Give the id of a category.`,
		"?for=guest":             `product-error">Give the id or the SKU of a product.`,
	} {
		page := f.send(t, "GET", f.path("access")+query, nil, http.StatusUnprocessableEntity)
		if !strings.Contains(page, want) {
			t.Errorf("%s: %s is not in\n%s", query, want, page)
		}
	}
}

// A client that leaves while its answer is computed is no fault of the server, and an answer
// that takes too long says so.
func TestPriceIsCanceled(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	var log bytes.Buffer
	f.Log = slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late, end := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer end()
	for _, test := range []struct {
		ctx  context.Context
		want string
	}{{ctx, ""}, {late, "The answer takes too long."}} {
		r := httptest.NewRequestWithContext(test.ctx, "GET", f.path("prices")+"?for=guest&product=1", nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if body := w.Body.String(); !strings.Contains(body, test.want) || test.want == "" && body+log.String() != "" {
			t.Errorf("%v: %s\n%s", test.ctx.Err(), log.String(), body)
		}
	}
}
