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

// listConcurrencyLimits is the limits of requests at once that the vendor's reference gives to
// operations on price lists, with bodies. # is another number each time.
var listConcurrencyLimits = []struct {
	method, path, body string
	limit              int
}{
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

// TestGatesOfPriceLists: as many requests as the reference says are let in at once.
func TestGatesOfPriceLists(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		token := f.listCatalog(t, d, "store")
		for _, g := range listConcurrencyLimits {
			t.Run(g.method+" "+g.path, func(t *testing.T) {
				n := 0
				request := func() *http.Request {
					n++
					path := "/stores/" + f.vars["store"] + "/v3" + strings.ReplaceAll(g.path, "#", strconv.Itoa(n))
					return newRequest(g.method, path, token, strings.ReplaceAll(g.body, "#", strconv.Itoa(n)))
				}
				most := g.limit
				if g.limit == 0 {
					most = 60
				}
				crowd := newCrowd(f)
				for range most {
					crowd.add(request())
				}
				next := httptest.NewRecorder()
				f.ServeHTTP(next, request())
				if served := crowd.disperse(); served != most {
					t.Errorf("%d of %d at once were served", served, most)
				}
				for _, w := range crowd.answers {
					if w.Code >= 300 { // it would not have stayed in the gate
						t.Errorf("%d %s", w.Code, w.Body)
					}
				}
				if g.limit > 0 {
					mustBeTooMany(t, next)
				} else if next.Code == http.StatusTooManyRequests {
					t.Errorf("number %d was refused", most+1)
				}
			})
		}
	})
}

// listCatalog puts into a store a group, a price list, and many products with a
// variant each, and returns a token for them.
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
		for id := int64(1); id <= 60; id++ {
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

// TestOneBulkUpsert: a store has one request under way that puts many records,
// whichever way they are named, and its own figure makes no difference.
func TestOneBulkUpsert(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		f.concurrency(t, 5)
		token, other := f.listCatalog(t, d, "store"), f.listCatalog(t, d, "other_store")
		const record = `{"price_list_id":1,"variant_id":1,"currency":"usd"}`
		paths := []string{"/pricelists/records", "/pricelists/1/records"}
		for _, held := range paths {
			crowd := newCrowd(f)
			crowd.add(newRequest("PUT", "/stores/"+f.vars["store"]+"/v3"+held, token, "["+record+"]"))
			for _, path := range paths {
				mustBeTooMany(t, f.answer("PUT", "/stores/"+f.vars["store"]+"/v3"+path, token, "["+record+"]"))
				f.mustAnswer(t, 200, "PUT", "/stores/"+f.vars["other_store"]+"/v3"+path, other, "["+record+"]")
			}
			f.mustAnswer(t, 200, "PUT", "/stores/"+f.vars["store"]+"/v3/pricelists/1/records/1/eur", token, `{"price":1}`)
			if served := crowd.disperse(); served != 1 {
				t.Errorf("the first to put records by %s was refused", held)
			}
		}
	})
}
