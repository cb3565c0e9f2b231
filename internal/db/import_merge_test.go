package db_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

// openImporter opens a database a second time, as another process would. Its
// batches are small.
func openImporter(t *testing.T, url string) *db.DB {
	t.Helper()
	d := dbtest.Open(t, url)
	d.SmallBatches(5)
	return d
}

// addShops adds stores with a managed catalog, a currency and two brands.
func addShops(t *testing.T, d *db.DB, hashes ...string) {
	t.Helper()
	for _, hash := range hashes {
		update(t, d, func(tx *db.Tx) error {
			return errors.Join(
				tx.InsertStore(cohort.Store{Hash: hash, Plan: cohort.PlanUnlimited, Catalog: cohort.CatalogManaged, Currency: "USD", DateCreated: t0}),
				tx.InsertBrand(hash, cohort.Brand{ID: 1, Name: "Acme"}), tx.InsertBrand(hash, cohort.Brand{ID: 2, Name: "Zeta"}))
		})
	}
}

func isUnmerged(err error) bool {
	_, ok := errors.AsType[*service.ImportUnmerged](err)
	return ok
}

func importAt(t *testing.T, d *db.DB, store string, now time.Time, items []cohort.CatalogItem) {
	t.Helper()
	if _, err := service.New(d, service.WithClock(func() time.Time { return now })).ImportCatalog(t.Context(), store, source(items), false); err != nil {
		t.Fatalf("%v %+v", err, err)
	}
}

func addRecords(t *testing.T, d *db.DB, store string) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		list := cohort.PriceList{ID: 1, Name: "Wholesale", Active: true, DateCreated: t0, DateModified: t0}
		var records []cohort.PriceRecord
		for id := range int64(4) {
			records = append(records, cohort.PriceRecord{
				PriceListID: 1, VariantID: id + 1, Currency: "USD", Price: decimal.NewNullDecimal(decimal.NewFromInt(id + 1)), DateCreated: t0, DateModified: t0,
			})
		}
		return errors.Join(tx.InsertPriceList(store, list), tx.InsertPriceRecords(store, records))
	})
}

// Two catalogs of a store. The second one swaps SKUs, including those of base
// variants and the names of brands, moves variants and categories, and adds items. It adds, changes, deletes and
// keeps details.
var (
	firstCatalog = []cohort.CatalogItem{
		detailed(brand(1, "Acme"), 0, "page_title", `"T"`), brand(2, "Zeta"), detailed(brand(3, "Orion"), 0, "image_url", `"i"`),
		detailed(category(1, 0, "a"), 0, "is_visible", "false"), detailed(category(2, 1, "b"), 0, "page_title", `"B"`), category(3, 2, "c"),
		detailed(product(1, "A", 1, 2), 1, "is_visible", "false", "images", `[{"image_url":"a"}]`), detailed(product(2, "B", 3), 2, "upc", `"7"`), detailed(product(3, ""), 1),
		detailed(variant(1, 1, "C", option(1, 1)), 0, "upc", `"7"`), variant(2, 1, "D", option(1, 2)),
		detailed(variant(3, 2, "E", option(1, 3)), 0, "upc", `"8"`), detailed(variant(4, 3, "F", option(1, 4)), 0, "upc", `"7"`),
	}
	secondCatalog = []cohort.CatalogItem{
		brand(1, "ZETA"), detailed(brand(2, "Acme"), 0, "page_title", `"T"`), brand(3, "Orion"), detailed(brand(4, "New"), 0, "meta_description", `"m"`),
		detailed(category(1, 3, "b"), 0, "description", `"<b>"`), detailed(category(2, 1, "b"), 0), detailed(category(3, 0, "a"), 0, "is_visible", "false"),
		category(4, 3, "new"), detailed(category(5, 4, "d"), 0, "sort_order", "-1"),
		product(1, "C", 2, 1), detailed(product(2, "B"), 0, "condition", `"Used"`), detailed(product(3, ""), 0),
		detailed(product(4, "G", 4, 5, 3), 4, "is_visible", "false", "images", `[{"id":9,"image_url":"a"},{"image_url":"b"}]`), product(5, "H"),
		variant(1, 1, "D", option(1, 1)), variant(2, 2, "A", option(1, 2)), detailed(variant(4, 3, "E", option(1, 4)), 0), detailed(variant(3, 2, "F", option(1, 3)), 0, "upc", `"7"`),
		variant(7, 4, "I", option(1, 7)), variant(8, 4, "", option(1, 8)), variant(9, 5, "", option(1, 9)),
	}
)

// TestImportKilledAnywhere kills an import after each of its transactions. Readers
// then see either all of the import or none, before and after FinishImports. A
// second attempt has the same result as an import without a crash. The short form
// tries every twelfth transaction.
func TestImportKilledAnywhere(t *testing.T) {
	step, wantKills := testenv.Times(1, 12), testenv.Times(5, 1)
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		d.SmallBatches(3)
		first, second := t0, t0.Add(2*time.Minute)
		later := service.New(d, service.WithClock(func() time.Time { return second.Add(time.Hour) }))
		prepare := func(store string) (old catalogReads) {
			addShops(t, d, store)
			importAt(t, d, store, first, firstCatalog)
			addRecords(t, d, store)
			return reads(t, d, store)
		}
		old := prepare("whole")
		importAt(t, d, "whole", second, secondCatalog)
		whole, wholeCatalog := reads(t, d, "whole"), catalogOf(t, d, "whole")
		if cmp.Equal(old, whole, cmpopts.EquateEmpty()) {
			t.Fatal("the import changes nothing")
		}
		var unpublished, unmerged int
		for k, done := 0, false; !done; k += step {
			store := fmt.Sprint("s", k)
			prepare(store)
			importer := openImporter(t, url)
			importer.DieAfter(k)
			_, err := service.New(importer, service.WithClock(func() time.Time { return second })).
				ImportCatalog(t.Context(), store, source(secondCatalog), false)
			want := old
			switch {
			case err == nil:
				want, done = whole, true
			case isUnmerged(err):
				want = whole
				unmerged++
			case errors.Is(err, db.ErrDead):
				unpublished++
			default:
				t.Fatalf("after %d transactions: %v", k, err)
			}
			wantReads(t, fmt.Sprintf("killed after %d transactions", k), want, reads(t, d, store))
			if err := later.FinishImports(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantNothingIncoming(t, d)
			wantReads(t, fmt.Sprintf("killed after %d transactions, then FinishImports", k), want, reads(t, d, store))
			importAt(t, d, store, second, secondCatalog)
			if diff := cmp.Diff(wholeCatalog, catalogOf(t, d, store)); diff != "" {
				t.Errorf("killed after %d transactions, then imported again (-want +got):\n%s", k, diff)
			}
		}
		if unpublished < wantKills || unmerged < wantKills {
			t.Errorf("killed %d times before the import was published and %d times after, want %d or more each", unpublished, unmerged, wantKills)
		}
	})
}

func wantReads(t *testing.T, when string, want, got catalogReads) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// TestReadersDuringAnImport checks that a reader sees the catalog before the import
// or after it, and never the old one again after the new one.
func TestReadersDuringAnImport(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addShops(t, d, "whole", "a")
		for _, store := range []string{"whole", "a"} {
			importAt(t, d, store, t0, firstCatalog)
			addRecords(t, d, store)
		}
		old := reads(t, d, "whole")
		importAt(t, d, "whole", t0.Add(time.Minute), secondCatalog)
		whole := reads(t, d, "whole")
		isPrice := func(name string, _ any) bool { return strings.HasPrefix(name, "price ") } // not read in the same view
		maps.DeleteFunc(old, isPrice)
		maps.DeleteFunc(whole, isPrice)
		ctx, done := context.WithCancel(t.Context())
		importer := openImporter(t, url)
		go func() {
			defer done()
			importAt(t, importer, "a", t0.Add(time.Minute), secondCatalog)
		}()
		for imported, last := false, false; !last; {
			last = ctx.Err() != nil
			got := reads(t, d, "a")
			maps.DeleteFunc(got, isPrice)
			switch {
			case cmp.Equal(got, whole, cmpopts.EquateEmpty()):
				imported = true
			case imported || last || !cmp.Equal(got, old, cmpopts.EquateEmpty()):
				t.Fatalf("the new catalog was seen before: %v; the import has ended: %v; (-old +got):\n%s", imported, last, cmp.Diff(old, got, cmpopts.EquateEmpty()))
			}
		}
	})
}
