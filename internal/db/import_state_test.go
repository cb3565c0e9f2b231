package db_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// TestImportFinishesAnother checks that an import first merges a published import
// that another process has left behind, once its lease has expired.
func TestImportFinishesAnother(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addShops(t, d, "a")
		leaveUnmerged(t, url, d, "a", firstCatalog, secondCatalog)
		next := []cohort.CatalogItem{product(9, "")}
		_, err := service.New(d, service.WithClock(func() time.Time { return t0.Add(2 * time.Minute) })).ImportCatalog(t.Context(), "a", source(next), false)
		wantKind(t, err, cohort.KindUnavailable) // the other import still holds the lease
		importAt(t, d, "a", t0.Add(time.Hour), next)
		wantNothingIncoming(t, d)
		if c := catalogOf(t, d, "a"); len(c.Products) != 6 || len(c.Categories) != 5 {
			t.Errorf("the catalog is %+v", c)
		}
	})
}

// TestImportThatLostItsLease checks that an import stops if another writer has
// marked it as abandoned, even if its process is still running.
func TestImportThatLostItsLease(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		d.SmallBatches(3)
		addShops(t, d, "a")
		importAt(t, d, "a", t0, firstCatalog)
		now := t0
		importer := service.New(d, service.WithClock(func() time.Time {
			now = now.Add(time.Second)
			if now.Equal(t0.Add(10 * time.Second)) { // in the middle of the import
				other := service.New(d, service.WithClock(func() time.Time { return t0.Add(time.Hour) }))
				if _, err := other.CreateCategory(t.Context(), "a", cohort.Category{Name: "other writer's"}); err != nil {
					t.Error(err)
				}
			}
			return now
		}))
		_, err := importer.ImportCatalog(t.Context(), "a", source(secondCatalog), false)
		wantKind(t, err, cohort.KindUnavailable)
		if c := catalogOf(t, d, "a"); len(c.Products) != 3 || len(c.Categories) != 4 {
			t.Errorf("the catalog is %+v", c)
		}
		if err := service.New(d).FinishImports(t.Context()); err != nil {
			t.Error(err)
		}
		wantNothingIncoming(t, d)
	})
}

// TestDeleteStoreDuringImport checks that deleting a store deletes the rows of its
// unmerged import.
func TestDeleteStoreDuringImport(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addShops(t, d, "a")
		leaveUnmerged(t, url, d, "a", firstCatalog, secondCatalog)
		if err := service.New(d).DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		wantNothingIncoming(t, d)
		if err := service.New(d).FinishImports(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestWritesWhileAnImportReads checks that other writers do not wait for an import
// that is still reading its file.
func TestWritesWhileAnImportReads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addShops(t, d, "a")
		svc, next := service.New(d), source(firstCatalog)
		_, err := svc.ImportCatalog(t.Context(), "a", func() (cohort.CatalogItem, error) {
			item, err := next()
			if item.Line == 5 {
				if _, err := svc.CreateCategory(t.Context(), "a", cohort.Category{Name: "zoo"}); err != nil {
					t.Error(err)
				}
			}
			return item, err
		}, false)
		if err != nil {
			t.Fatal(err)
		}
		// The created category had id 1 before the file was read to its end, so the
		// import replaced it.
		if c := catalogOf(t, d, "a"); len(c.Categories) != 3 || c.Categories[0].Name != "a" {
			t.Errorf("the categories are %+v", c.Categories)
		}
	})
}
