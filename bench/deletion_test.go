package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
)

// doomedProducts is the number of products in the deleted store.
func doomedProducts() int64 { return unlessShort(282_000) }

// cohortBinary is the environment variable with the path of the cohort binary
// that deletes the store, for example an older version. Without it the
// benchmark builds one.
const cohortBinary = "COHORT_BENCH_BINARY"

// BenchmarkWritesBesideADeletion creates groups in one store, one every few
// milliseconds, while another process deletes a store with 282 000 products. It
// reports the maximum and the 99th percentile of the time of a create, and the
// time of the deletion. Run it with -benchtime 1x.
func BenchmarkWritesBesideADeletion(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		benchDeletion(b, func() string { return sqliteURL(b) })
	})
	b.Run("postgres", func(b *testing.B) {
		benchDeletion(b, func() string { return pgtest.URL(b) })
	})
}

func benchDeletion(b *testing.B, url func() string) {
	binary := buildCohort(b)
	for b.Loop() {
		b.StopTimer()
		at := url()
		svc := withDoomedStore(b, at)
		b.StartTimer()
		done := make(chan error, 1)
		begun := time.Now()
		go func() {
			out, err := exec.Command(binary, "store", "delete", "doomed", "--yes", "--db", at).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			done <- err
		}()
		waits, err := createUntil(b.Context(), svc, done)
		took := time.Since(begun)
		if err != nil {
			b.Fatal(err)
		}
		slices.Sort(waits)
		b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(waits[len(waits)-1].Microseconds())/1000, "max-ms")
		b.ReportMetric(float64(len(waits)), "creates")
		b.ReportMetric(took.Seconds(), "delete-s")
	}
}

// createUntil creates groups until done is ready, and returns how long each
// create took. It retries a rejected create, as a client does.
func createUntil(ctx context.Context, svc *service.Service, done <-chan error) (waits []time.Duration, err error) {
	for {
		begun := time.Now()
		for {
			_, err := svc.CreateGroup(ctx, "other", newGroup())
			if err == nil {
				break
			}
			if cohort.KindOf(err) != cohort.KindUnavailable {
				return waits, err
			}
		}
		waits = append(waits, time.Since(begun))
		select {
		case err := <-done:
			return waits, err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func withDoomedStore(b *testing.B, url string) *service.Service {
	b.Helper()
	d := openDB(b, url)
	svc := service.New(d)
	addStores(b, svc, "doomed", "other")
	if _, err := svc.ImportCatalog(b.Context(), "doomed", doomedItems(), false); err != nil {
		b.Fatal(err)
	}
	return svc
}

// doomedItems returns a category and products in it.
func doomedItems() func() (cohort.CatalogItem, error) {
	var line int64
	return func() (cohort.CatalogItem, error) {
		line++
		switch {
		case line == 1:
			return cohort.CatalogItem{Line: 1, Kind: cohort.CatalogCategory, ID: 1, Category: cohort.Category{Name: "All"}}, nil
		case line <= doomedProducts()+1:
			return cohort.CatalogItem{Line: line, Kind: cohort.CatalogProduct, ID: line - 1, Product: cohort.Product{
				Name: fmt.Sprint("Product ", line), Type: cohort.ProductPhysical, SKU: fmt.Sprint("sku-", line), Categories: []int64{1},
			}}, nil
		}
		return cohort.CatalogItem{}, io.EOF
	}
}

func buildCohort(b *testing.B) string {
	b.Helper()
	if binary := os.Getenv(cohortBinary); binary != "" {
		return binary
	}
	binary := filepath.Join(b.TempDir(), "cohort")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./cmd/cohort")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return binary
}
