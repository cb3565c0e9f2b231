package db_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

// addVariants adds price list 1, and products 1 to n, each with a variant of the
// same id.
func addVariants(t testing.TB, d *db.DB, store string, n int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		if err := tx.InsertPriceList(store, cohort.PriceList{ID: 1, Name: "x", Active: true, DateCreated: t0, DateModified: t0}); err != nil {
			return err
		}
		for id := int64(1); id <= n; id++ {
			if err := tx.InsertProduct(store, cohort.Product{ID: id, Name: "x", Type: cohort.ProductPhysical, BaseVariantID: id}); err != nil {
				return err
			}
			if err := tx.InsertVariant(store, cohort.Variant{ID: id, ProductID: id}); err != nil {
				return err
			}
		}
		return nil
	})
}

func null(text string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(text))
}

// records returns records of variants 1 to n in a currency.
func records(n int64, currency, price string) []cohort.PriceRecord {
	list := make([]cohort.PriceRecord, n)
	for i := range list {
		list[i] = cohort.PriceRecord{
			PriceListID: 1, VariantID: int64(i + 1), ProductID: int64(i + 1), Currency: currency, Price: null(price),
			DateCreated: t0, DateModified: t0,
		}
	}
	return list
}

// sameAmounts compares amounts by value, not by representation.
var sameAmounts = cmp.Comparer(decimal.Decimal.Equal)

// TestPriceRecordRoundTrip checks that records are read as they were put, and that
// putting a record again keeps its creation date.
func TestPriceRecordRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addVariants(t, d, "a", 39)
		addVariants(t, d, "b", 1)
		want := records(39, "USD", "1.5") // 16, 16, 4, 2 and 1
		want[3].SalePrice, want[3].RetailPrice, want[3].MAPPrice = null("0"), null("99999999999999.9999"), null("0.0001")
		want[3].Price = decimal.NullDecimal{}
		want[3].BulkTiers = []cohort.BulkTier{
			{QuantityMin: 1, QuantityMax: math.MaxInt64, Method: cohort.MethodFixed, Amount: decimal.RequireFromString("0.0001")},
			{QuantityMin: 5, Method: cohort.MethodPercent, Amount: decimal.New(100, 0)},
		}
		update(t, d, func(tx *db.Tx) error {
			if err := tx.PutPriceRecords("b", nil, records(1, "USD", "7")); err != nil {
				return err
			}
			backwards := slices.Clone(want)
			slices.Reverse(backwards)
			return tx.PutPriceRecords("a", nil, backwards)
		})
		wantRecords(t, d, want)

		later := t0.Add(time.Hour)
		again := slices.Clone(want[:20])
		for i := range again {
			again[i].Price, again[i].DateCreated, again[i].DateModified = null("2"), later, later
		}
		update(t, d, func(tx *db.Tx) error { return tx.PutPriceRecords("a", nil, again) })
		for i := range again {
			want[i].Price, want[i].DateModified = null("2"), later
		}
		wantRecords(t, d, want)
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertPriceRecords("a", again[:1]) }), cohort.KindConflict)
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error {
			return tx.PutPriceRecords("a", nil, []cohort.PriceRecord{{PriceListID: 1, VariantID: 40, Currency: "USD"}})
		}), cohort.KindNotFound)
		wantRecords(t, d, want)
	})
}

// wantRecords fails unless list 1 of store a has exactly these records and the
// record of store b is unchanged.
func wantRecords(t *testing.T, d *db.DB, want []cohort.PriceRecord) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		var got []cohort.PriceRecord
		err := tx.ReadPriceRecords("a", 1, cohort.PriceRecordFilter{}, cohort.Page{Number: 1, Size: 250}, func(r cohort.PriceRecord) bool {
			got = append(got, r)
			return true
		})
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, got, sameAmounts, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		other, err := tx.PriceRecord("b", 1, 1, "USD")
		if err == nil && !other.Price.Decimal.Equal(decimal.New(7, 0)) {
			t.Errorf("the other store's record is %+v", other)
		}
		return err
	})
}

func TestRecordsToPrice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addVariants(t, d, "a", 300)
		ids := make([]int64, 300)
		for i := range ids {
			ids[i] = int64(i + 1)
		}
		update(t, d, func(tx *db.Tx) error {
			if err := tx.InsertPriceList("a", cohort.PriceList{ID: 2, Name: "y"}); err != nil {
				return err
			}
			second := records(300, "USD", "2")
			for i := range second {
				second[i].PriceListID = 2
			}
			return tx.PutPriceRecords("a", nil, slices.Concat(records(300, "USD", "1"), records(300, "EUR", "1"), second))
		})
		view(t, d, func(tx *db.Tx) error {
			for _, c := range []struct {
				lists, variants []int64
				want            int
			}{{[]int64{1, 2}, ids, 600}, {[]int64{2, 9}, ids[:7], 7}, {[]int64{}, ids, 0}, {[]int64{1}, []int64{}, 0}} {
				got, err := tx.RecordsToPrice("a", c.lists, "USD", c.variants, nil)
				if err != nil || len(got) != c.want {
					t.Errorf("%d records of %v (%v), want %d", len(got), c.lists, err, c.want)
				}
			}
			return nil
		})
	})
}

// BenchmarkPutPriceRecords writes 1000 records in one call, and one by one.
func BenchmarkPutPriceRecords(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": pgtest.URL} {
		b.Run(name, func(b *testing.B) {
			d := dbtest.Open(b, url(b))
			addStores(b, d, "a")
			addVariants(b, d, "a", 1000)
			all := records(1000, "USD", "1")
			for how, size := range map[string]int{"together": len(all), "one by one": 1} {
				b.Run(strings.ReplaceAll(how, " ", "_"), func(b *testing.B) {
					for b.Loop() {
						for part := range slices.Chunk(all, size) {
							if err := d.Update(context.Background(), func(tx *db.Tx) error { return tx.PutPriceRecords("a", nil, part) }); err != nil {
								b.Fatal(err)
							}
						}
					}
				})
			}
		})
	}
}
