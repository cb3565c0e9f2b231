package server_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
)

// limitedOperation is an operation of V3 with its concurrency limit; 0 is unlimited. #
// stands for a different number in each request.
type limitedOperation struct {
	method, path, body string
	limit              int
}

// listConcurrencyLimits are the concurrency limits of operations on price lists in
// the vendor's reference.
var listConcurrencyLimits = []limitedOperation{
	{"GET", "/pricelists/1/records", "", 10},
	{"POST", "/pricelists/1/records", `[{"variant_id":#,"currency":"usd"}]`, 10},
	{"PUT", "/pricelists/1/records", `[{"variant_id":#,"currency":"usd"}]`, 1},
	{"POST", "/pricelists/records", `[{"price_list_id":1,"variant_id":#,"currency":"eur"}]`, 10},
	{"PUT", "/pricelists/records", `[{"price_list_id":1,"variant_id":#,"currency":"eur"}]`, 1},
	{"GET", "/pricelists/1/records/1", "", 40},
	{"PUT", "/pricelists/1/records/#/gbp", `{"price":1}`, 40},
	{"GET", "/pricelists/1/records/1/gbp", "", 50},
	{"DELETE", "/pricelists/1/records/#/gbp", "", 25},
	{"PUT", "/pricelists/1/assignments", `{"customer_group_id":1,"channel_id":#}`, 25},
	{"GET", "/pricelists/assignments", "", 0},
	{"GET", "/pricelists", "", 0},
	{"DELETE", "/pricelists/#", "", 1},
}

// Each operation admits as many concurrent requests as the reference says.
func TestConcurrencyLimitsOfPriceLists(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		token := f.listCatalog(t, d, "store")
		for _, g := range listConcurrencyLimits {
			t.Run(g.method+" "+g.path, func(t *testing.T) { g.check(t, f, token) })
		}
	})
}

// check sends one request more than the limit at the same time.
func (g limitedOperation) check(t *testing.T, f *fixture, token string) {
	n := 0
	request := func() *http.Request {
		n++
		path := "/stores/" + f.vars["store"] + "/v3" + strings.ReplaceAll(g.path, "#", strconv.Itoa(n))
		return newRequest(g.method, path, token, strings.ReplaceAll(g.body, "#", strconv.Itoa(n)))
	}
	most := g.limit
	if g.limit == 0 {
		most = unlimitedRequests(50)
	}
	held := newHeldRequests(f)
	for range most {
		held.add(request())
	}
	next := httptest.NewRecorder()
	f.ServeHTTP(next, request())
	if served := held.release(); served != most {
		t.Errorf("%d of %d concurrent requests were served", served, most)
	}
	for _, w := range held.responses {
		if w.Code >= 300 { // a failed request holds no slot
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if g.limit > 0 {
		wantConcurrencyLimit(t, next)
	} else if next.Code == http.StatusTooManyRequests {
		t.Errorf("request %d was rejected", most+1)
	}
}

// listCatalog creates a group, a price list and products with a variant each in a
// store, and returns a token for them.
func (f *fixture) listCatalog(t *testing.T, d *db.DB, store string) (token string) {
	t.Helper()
	hash := f.vars[store]
	if _, err := f.Service.CreatePriceList(t.Context(), hash, cohort.PriceList{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Service.CreateGroup(t.Context(), hash, cohort.Group{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		for id := int64(1); id <= 60; id++ { // more than any limit in listConcurrencyLimits
			if err := tx.InsertProduct(hash, cohort.Product{ID: id, Name: "x", Type: cohort.ProductPhysical, BaseVariantID: id}); err != nil {
				return err
			}
			if err := tx.InsertVariant(hash, cohort.Variant{ID: id, ProductID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f.Token(t, hash, cohort.ScopeProducts)
}

// A store may run one bulk upsert of price records at a time, over both paths
// together. The store's own concurrency limit does not change that.
func TestOneBulkUpsert(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		f.concurrency(t, 5)
		token, other := f.listCatalog(t, d, "store"), f.listCatalog(t, d, "other_store")
		const record = `{"price_list_id":1,"variant_id":1,"currency":"usd"}`
		paths := []string{"/pricelists/records", "/pricelists/1/records"}
		for _, first := range paths {
			held := newHeldRequests(f)
			held.add(newRequest("PUT", "/stores/"+f.vars["store"]+"/v3"+first, token, "["+record+"]"))
			for _, path := range paths {
				wantConcurrencyLimit(t, f.do("PUT", "/stores/"+f.vars["store"]+"/v3"+path, token, "["+record+"]"))
				f.mustDo(t, 200, "PUT", "/stores/"+f.vars["other_store"]+"/v3"+path, other, "["+record+"]")
			}
			f.mustDo(t, 200, "PUT", "/stores/"+f.vars["store"]+"/v3/pricelists/1/records/1/eur", token, `{"price":1}`)
			if served := held.release(); served != 1 {
				t.Errorf("the first upsert, to %s, was rejected", first)
			}
		}
	})
}
