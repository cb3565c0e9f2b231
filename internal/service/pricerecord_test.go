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

	"github.com/shopspring/decimal"
)

// addCatalog adds price lists 1 to lists, and products 1 to variants with a variant
// of the same id each.
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

// batch is records of variants 1 to n of list 1.
func batch(n, price int64) []cohort.PriceRecordUpdate {
	us := make([]cohort.PriceRecordUpdate, n)
	for i := range us {
		us[i] = cohort.PriceRecordUpdate{PriceListID: 1, VariantID: int64(i + 1), Currency: "usd", Price: setPrice(price)}
	}
	return us
}

func countRecords(t testing.TB, svc *service.Service, f cohort.PriceRecordFilter) int64 {
	t.Helper()
	n, err := svc.ReadPriceRecords(context.Background(), "a", 1, f, firstPage, &taken[cohort.PriceRecord]{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestManyPriceRecords: as many as one call may hold are written together, or none.
func TestManyPriceRecords(t *testing.T) {
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
			t.Errorf("%d and %d records, want 500 and 500", five, six)
		}
		broken := batch(cohort.MaxRecordsPut, 7)
		broken[700].VariantID = 5000
		err := svc.PutPriceRecords(t.Context(), "a", broken)
		items, ok := errors.AsType[cohort.ItemErrors](err)
		if !ok || len(items) != 1 || items[700] == nil {
			t.Errorf("%v, want an error about number 700", err)
		}
		if n := countRecords(t, svc, exactly(7)); n != 0 {
			t.Errorf("%d records of a batch that was refused", n)
		}
	})
}

// TestPriceRecordOfManyCallers: those who put the same new record at once lose
// nothing of each other's, and of those who create it one does.
func TestPriceRecordOfManyCallers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		const variants = 20
		addCatalog(t, svc, d, 1, variants)
		for variant := int64(1); variant <= variants; variant++ {
			key := cohort.PriceRecordUpdate{PriceListID: 1, VariantID: variant, Currency: "USD"}
			puts := []cohort.PriceRecordUpdate{key, key, key, key}
			puts[0].Price, puts[1].SalePrice, puts[2].RetailPrice, puts[3].MAPPrice = setPrice(1), setPrice(2), setPrice(3), setPrice(4)
			allWork(t, len(puts), func(i int) error {
				_, err := svc.SetPriceRecord(t.Context(), "a", puts[i])
				return err
			})
			r, err := svc.PriceRecord(t.Context(), "a", 1, variant, "usd")
			if err != nil || !r.Price.Valid || !r.SalePrice.Valid || !r.RetailPrice.Valid || !r.MAPPrice.Valid {
				t.Errorf("%+v (%v), want all prices", r, err)
			}
			key.Currency = "EUR"
			failed := make([]bool, 4)
			allWork(t, 4, func(i int) error {
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
				t.Errorf("%d of 4 who create the same record were refused, want 3", n)
			}
		}
	})
}

// allWork fails the test for each of n calls at once that does not work.
func allWork(t *testing.T, n int, call func(i int) error) {
	t.Helper()
	for i, err := range together(n, call) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
}

// TestPriceListNameOfManyCallers: one of those who want a name has it.
func TestPriceListNameOfManyCallers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for round := range 10 {
			refused := make([]bool, 6)
			allWork(t, len(refused), func(i int) error {
				_, err := svc.CreatePriceList(t.Context(), "a", cohort.PriceList{Name: fmt.Sprint(round)})
				if refused[i] = err != nil; refused[i] && cohort.KindOf(err) != cohort.KindConflict {
					return err
				}
				return nil
			})
		}
		if n, err := svc.ReadPriceLists(t.Context(), "a", cohort.PriceListFilter{}, firstPage, &taken[cohort.PriceList]{}); n != 10 || err != nil {
			t.Errorf("%d lists (%v), want 10", n, err)
		}
	})
}
