package db_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
)

// BenchmarkImport imports a catalog into an empty store, and the same catalog
// into the store that has it. Each product is in two categories and has two
// variants.
func BenchmarkImport(b *testing.B) {
	const categories, products = 200, 20_000
	var items []cohort.CatalogItem
	for id := range int64(categories) {
		items = append(items, category(id+1, id/10, fmt.Sprint("Category ", id)))
	}
	for id := range int64(products) {
		items = append(items, product(id+1, fmt.Sprint("SKU-", id), id%categories+1, id*7%(categories-1)+2),
			variant(2*id+1, id+1, fmt.Sprint("SKU-", id, "-a"), option(7, 1)), variant(2*id+2, id+1, fmt.Sprint("SKU-", id, "-b"), option(7, 2)))
	}
	for i := range items {
		items[i].Product.Categories = items[i].Product.Normalized().Categories
	}
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": pgtest.URL} {
		b.Run(name, func(b *testing.B) {
			for _, what := range []string{"new", "same"} {
				b.Run(what, func(b *testing.B) {
					for b.Loop() {
						b.StopTimer()
						d := dbtest.Open(b, url(b))
						svc := service.New(d)
						if _, err := svc.CreateStore(b.Context(), cohort.Store{Hash: "a"}); err != nil {
							b.Fatal(err)
						}
						if what == "same" {
							if _, err := svc.ImportCatalog(b.Context(), "a", source(items), false); err != nil {
								b.Fatal(err)
							}
						}
						b.StartTimer()
						if _, err := svc.ImportCatalog(b.Context(), "a", source(items), false); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(len(items)*b.N)/b.Elapsed().Seconds(), "lines/s")
				})
			}
		})
	}
}
