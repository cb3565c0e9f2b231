package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// importedLines is the number of lines of the import: a third are products, the
// rest their variants.
func importedLines() int64 { return unlessShort(100_000) }

// unlessShort returns a size, or a small part of it with -short, which only
// checks that the benchmarks run.
func unlessShort(size int64) int64 {
	if testing.Short() {
		return size / 50
	}
	return size
}

// importInto is the environment variable with the database that this process
// imports into. The benchmark in another process sets it.
const importInto = "COHORT_BENCH_IMPORT"

func TestMain(m *testing.M) {
	flag.Parse() // for -short
	if url := os.Getenv(importInto); url != "" {
		if err := importAlone(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func importAlone(url string) error {
	d, err := db.Open(context.Background(), url)
	if err != nil {
		return err
	}
	_, err = service.New(d).ImportCatalog(context.Background(), "importing", importedCatalog(), false)
	return errors.Join(err, d.Close())
}

func importedCatalog() func() (cohort.CatalogItem, error) {
	line := int64(0)
	return func() (cohort.CatalogItem, error) {
		if line == importedLines() {
			return cohort.CatalogItem{}, io.EOF
		}
		line++
		if line <= 100 {
			return cohort.CatalogItem{Line: line, Kind: cohort.CatalogCategory, ID: line, Category: cohort.Category{Name: fmt.Sprint("Category ", line)}}, nil
		}
		product := line/3 + 1
		if line%3 == 0 {
			return cohort.CatalogItem{Line: line, Kind: cohort.CatalogProduct, ID: product, Product: cohort.Product{
				Name: fmt.Sprint("Product ", product), Type: cohort.ProductPhysical, SKU: fmt.Sprint("SKU-", product),
				Price: decimal.New(product, -2), Categories: []int64{product%100 + 1, (product+1)%100 + 1},
			}}, nil
		}
		if line < 102 { // the first line of its product would be a category's
			product = 35
		}
		return cohort.CatalogItem{Line: line, Kind: cohort.CatalogVariant, ID: line, Variant: cohort.Variant{
			ProductID: product, SKU: fmt.Sprint("V-", line), OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: line}},
		}}, nil
	}
}

// BenchmarkWritesBesideAnImport imports into one store while groups are created
// in another, one every 10 ms, and reports how long the creates took: on SQLite
// with the import in the same process and in another process, and on
// PostgreSQL.
//
//	cd bench && go test -run '^$' -bench WritesBesideAnImport -benchtime 1x
func BenchmarkWritesBesideAnImport(b *testing.B) {
	postgres := func(b testing.TB) string { return pgtest.Start(b, pgtest.Options{Fsync: true}).URL() }
	for _, side := range []struct {
		name string
		url  func(testing.TB) string
		by   importer
	}{
		{"sqlite/none", sqliteURL, noImport},
		{"sqlite/same-process", sqliteURL, importHere},
		{"sqlite/other-process", sqliteURL, importElsewhere},
		{"postgres/none", postgres, noImport},
		{"postgres/same-process", postgres, importHere},
	} {
		b.Run(side.name, func(b *testing.B) {
			for b.Loop() {
				measureImport(b, side.url(b), side.by)
			}
		})
	}
}

// importer runs the import, or waits for the time it would take.
type importer func(b *testing.B, svc *service.Service, url string) error

func noImport(*testing.B, *service.Service, string) error {
	time.Sleep(10 * time.Second)
	return nil
}

func importHere(b *testing.B, svc *service.Service, _ string) error {
	_, err := svc.ImportCatalog(b.Context(), "importing", importedCatalog(), false)
	return err
}

func importElsewhere(_ *testing.B, _ *service.Service, url string) error {
	other := exec.Command(os.Args[0], fmt.Sprintf("-test.short=%t", testing.Short())) //nolint:gosec // itself
	other.Env = append(os.Environ(), importInto+"="+url)
	other.Stderr = os.Stderr
	return other.Run()
}

func measureImport(b *testing.B, url string, by importer) {
	b.Helper()
	d := openDB(b, url)
	defer d.Close() // each iteration has its own database
	svc := service.New(d)
	addStores(b, svc, "importing", "writing")
	ctx, cancel := context.WithCancel(b.Context())
	creates := startCreates(ctx, svc)
	begun := time.Now()
	err := by(b, svc, url)
	took := time.Since(begun)
	cancel()
	latencies, failed := creates()
	if err != nil {
		b.Fatal(err)
	}
	slices.Sort(latencies)
	at := func(share float64) float64 {
		return float64(latencies[int(share*float64(len(latencies)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
	b.ReportMetric(float64(len(latencies)), "creates")
	b.ReportMetric(float64(failed), "failed")
	b.ReportMetric(float64(importedLines())/took.Seconds(), "lines/s")
}

// startCreates starts a create every 10 ms until ctx ends, whether or not
// earlier ones are done. The returned function waits for all of them, and
// returns how long they took and how many failed.
func startCreates(ctx context.Context, svc *service.Service) func() (latencies []time.Duration, failed int) {
	var mu sync.Mutex
	var latencies []time.Duration
	var running sync.WaitGroup
	var failed int
	create := func(n int) {
		begun := time.Now()
		_, err := svc.CreateGroup(context.Background(), "writing", cohort.Group{Name: fmt.Sprint("Group ", n)})
		took := time.Since(begun)
		mu.Lock()
		defer mu.Unlock()
		latencies = append(latencies, took)
		if err != nil {
			failed++
		}
	}
	running.Go(func() {
		ticks := time.NewTicker(10 * time.Millisecond)
		defer ticks.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				running.Go(func() { create(n) })
			}
		}
	})
	return func() ([]time.Duration, int) {
		running.Wait()
		return latencies, failed
	}
}
