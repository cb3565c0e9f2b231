package service_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/shopspring/decimal"
)

// addCatalog adds the price lists 1 to lists, and the products 1 to variants, each with a
// variant of the same id.
func addCatalog(t testing.TB, svc *service.Service, d *db.DB, lists int, variants int64) {
	t.Helper()
	for i := range lists {
		if _, err := svc.CreatePriceList(context.Background(), "a", cohort.PriceList{Name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	err := d.Update(context.Background(), func(tx *db.Tx) error {
		for id := int64(1); id <= variants; id++ {
			p := cohort.Product{ID: id, Name: "x", Type: cohort.ProductPhysical, BaseVariantID: id, DateCreated: t0, DateModified: t0}
			if err := tx.InsertProduct("a", p); err != nil {
				return err
			}
			if err := tx.InsertVariant("a", cohort.Variant{ID: id, ProductID: id, SKU: fmt.Sprint("SKU", id)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func setPrice(n int64) *decimal.NullDecimal { return new(decimal.NewNullDecimal(decimal.New(n, 0))) }

// batch returns updates of the variants 1 to n in list 1.
func batch(n, price int64) []cohort.PriceRecordUpdate {
	us := make([]cohort.PriceRecordUpdate, n)
	for i := range us {
		us[i] = cohort.PriceRecordUpdate{PriceListID: 1, VariantID: int64(i + 1), Currency: "usd", Price: setPrice(price)}
	}
	return us
}

func countRecords(t testing.TB, svc *service.Service, f cohort.PriceRecordFilter) int64 {
	t.Helper()
	n, err := svc.ReadPriceRecords(context.Background(), "a", 1, f, firstPage, &collected[cohort.PriceRecord]{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A call with the largest number of records writes all or none.
func TestLargestPriceRecordBatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		addCatalog(t, svc, d, 1, cohort.MaxRecordsPut)
		all := batch(cohort.MaxRecordsPut, 5)
		all[999].VariantID, all[999].SKU = 0, "SKU1000"
		if err := svc.PutPriceRecords(t.Context(), "a", all); err != nil {
			t.Fatal(err)
		}
		if err := svc.PutPriceRecords(t.Context(), "a", batch(cohort.MaxRecordsPut/2, 6)); err != nil {
			t.Fatal(err)
		}
		exactly := func(n int64) cohort.PriceRecordFilter {
			d := decimal.NewNullDecimal(decimal.New(n, 0))
			return cohort.PriceRecordFilter{Price: cohort.AmountRange{Min: d, Max: d}}
		}
		if five, six := countRecords(t, svc, exactly(5)), countRecords(t, svc, exactly(6)); five != 500 || six != 500 {
			t.Errorf("%d records with price 5 and %d with price 6, want 500 of each", five, six)
		}
		broken := batch(cohort.MaxRecordsPut, 7)
		broken[700].VariantID = 5000
		err := svc.PutPriceRecords(t.Context(), "a", broken)
		items, ok := errors.AsType[cohort.ItemErrors](err)
		if !ok || len(items) != 1 || items[700] == nil {
			t.Errorf("got %v, want an error about item 700", err)
		}
		if n := countRecords(t, svc, exactly(7)); n != 0 {
			t.Errorf("%d records of a rejected batch are stored", n)
		}
	})
}

// Concurrent puts of different fields of the same new record are all kept. Of concurrent
// creates of the same record one succeeds.
func TestConcurrentPriceRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		variants := testenv.Times[int64](20, 5)
		addCatalog(t, svc, d, 1, variants)
		for variant := int64(1); variant <= variants; variant++ {
			key := cohort.PriceRecordUpdate{PriceListID: 1, VariantID: variant, Currency: "USD"}
			puts := []cohort.PriceRecordUpdate{key, key, key, key}
			puts[0].Price, puts[1].SalePrice, puts[2].RetailPrice, puts[3].MAPPrice = setPrice(1), setPrice(2), setPrice(3), setPrice(4)
			wantAllSucceed(t, len(puts), func(i int) error {
				_, err := svc.SetPriceRecord(t.Context(), "a", puts[i])
				return err
			})
			r, err := svc.PriceRecord(t.Context(), "a", 1, variant, "usd")
			if err != nil || !r.Price.Valid || !r.SalePrice.Valid || !r.RetailPrice.Valid || !r.MAPPrice.Valid {
				t.Errorf("got %+v, error %v, want all four prices", r, err)
			}
			key.Currency = "EUR"
			failed := make([]bool, 4)
			wantAllSucceed(t, 4, func(i int) error {
				err := svc.CreatePriceRecords(t.Context(), "a", []cohort.PriceRecordUpdate{key})
				if failed[i] = err != nil; failed[i] && cohort.KindOf(err) != cohort.KindInvalid {
					return err
				}
				return nil
			})
			n := 0
			for _, f := range failed {
				if f {
					n++
				}
			}
			if n != 3 {
				t.Errorf("%d of 4 creates of the same record failed, want 3", n)
			}
		}
	})
}

// wantAllSucceed makes n concurrent calls and fails for each error.
func wantAllSucceed(t *testing.T, n int, call func(i int) error) {
	t.Helper()
	for i, err := range together(n, call) {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

// Of concurrent creates of price lists with the same name one succeeds.
func TestConcurrentPriceListName(t *testing.T) {
	rounds := testenv.Times(10, 3)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for round := range rounds {
			failed := make([]bool, 6)
			wantAllSucceed(t, len(failed), func(i int) error {
				_, err := svc.CreatePriceList(t.Context(), "a", cohort.PriceList{Name: fmt.Sprint(round)})
				if failed[i] = err != nil; failed[i] && cohort.KindOf(err) != cohort.KindConflict {
					return err
				}
				return nil
			})
		}
		if n, err := svc.ReadPriceLists(t.Context(), "a", cohort.PriceListFilter{}, firstPage, &collected[cohort.PriceList]{}); n != int64(rounds) || err != nil {
			t.Errorf("%d lists, error %v, want %d", n, err, rounds)
		}
	})
}
