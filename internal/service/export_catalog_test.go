package service_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/catalogfile"
	"cohort.example/cohort/internal/catalogfile/catalogtest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func exported(t *testing.T, svc *service.Service, store string, f catalogfile.Format) string {
	t.Helper()
	var b bytes.Buffer
	w := catalogfile.NewWriter(&b, f, cohort.CatalogKinds())
	if err := errors.Join(svc.ExportCatalog(t.Context(), store, cohort.CatalogKinds(), w.Write), w.Flush()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func importFile(t *testing.T, svc *service.Service, store, file string, f catalogfile.Format) []cohort.ImportCount {
	t.Helper()
	counts, err := svc.ImportCatalog(t.Context(), store, catalogfile.NewReader(strings.NewReader(file), f, "").Next, false)
	if err != nil {
		t.Fatalf("%v %+v\n%s", err, err, file)
	}
	return counts
}

func addStore(t *testing.T, svc *service.Service, hash string) {
	t.Helper()
	if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash}); err != nil {
		t.Fatal(err)
	}
}

// An export, imported into an empty store, is exported byte for byte again, and imported
// into the same store it changes nothing. A file that is written in the form of an export
// is exported as it was imported.
func TestExportOfAnImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		stores, most := 0, testenv.Times(40, 8)
		rapid.Check(t, func(rt *rapid.T) {
			if stores >= most {
				return
			}
			stores++
			first, second := fmt.Sprint("first", stores), fmt.Sprint("second", stores)
			addStore(t, svc, first)
			addStore(t, svc, second)
			f := rapid.SampledFrom([]catalogfile.Format{catalogfile.CSV, catalogfile.JSONL}).Draw(rt, "format")
			var file bytes.Buffer
			w := catalogfile.NewWriter(&file, f, cohort.CatalogKinds())
			for _, item := range catalogtest.Catalog(rt, f) {
				if err := w.Write(item); err != nil {
					rt.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				rt.Fatal(err)
			}
			importFile(t, svc, first, file.String(), f)
			export := exported(t, svc, first, f)
			if diff := cmp.Diff(file.String(), export); diff != "" {
				rt.Fatalf("(-imported +exported):\n%s", diff)
			}
			importFile(t, svc, second, export, f)
			if diff := cmp.Diff(export, exported(t, svc, second, f)); diff != "" {
				rt.Fatalf("(-first +second):\n%s", diff)
			}
			for _, n := range importFile(t, svc, second, export, f) {
				if n.Added != 0 || n.Replaced != 0 {
					rt.Fatalf("an import of the same file: %+v", n)
				}
			}
		})
	})
}

// TestExportIsOneSnapshot checks that an export has the catalog of one moment, and ends
// with the first error.
func TestExportIsOneSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		addStore(t, svc, "a")
		for range 120 { // more than one batch
			if _, err := svc.CreateProduct(t.Context(), "a", newBoot("")); err != nil {
				t.Fatal(err)
			}
		}
		counts := map[cohort.CatalogKind]int{}
		err := svc.ExportCatalog(t.Context(), "a", cohort.CatalogKinds(), func(item cohort.CatalogItem) error {
			counts[item.Kind]++
			if len(counts) == 1 && counts[item.Kind] == 1 {
				return svc.DeleteProducts(t.Context(), "a", cohort.ProductFilter{})
			}
			return nil
		})
		if err != nil || counts[cohort.CatalogProduct] != 120 || counts[cohort.CatalogVariant] != 120 {
			t.Errorf("exported %v, error %v", counts, err)
		}
		if _, err := svc.CreateProduct(t.Context(), "a", newBoot("")); err != nil {
			t.Fatal(err)
		}
		calls := 0
		err = svc.ExportCatalog(t.Context(), "a", cohort.CatalogKinds(), func(cohort.CatalogItem) error {
			calls++
			return io.ErrShortWrite
		})
		if !errors.Is(err, io.ErrShortWrite) || calls != 1 {
			t.Errorf("error %v after %d calls", err, calls)
		}
		if err := svc.ExportCatalog(t.Context(), "nowhere", cohort.CatalogKinds(), nil); cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("of a missing store: %v", err)
		}
	})
}

// An import has a bounded number of brands, and of bytes in them. Each import has its own
// budget, and brands that are invalid anyway do not count.
func TestImportBoundsBrands(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		addStore(t, svc, "a")
		svc.LowerImportBounds(2, 20)
		line := func(id int, name, title string) string {
			return fmt.Sprintf(`{"kind":"brand","id":%d,"name":%q,"page_title":%q}`+"\n", id, name, title)
		}
		mistakes := func(file string) (found []cohort.ImportMistake) {
			_, err := svc.ImportCatalog(t.Context(), "a", catalogfile.NewReader(strings.NewReader(file), catalogfile.JSONL, "").Next, false)
			m, ok := errors.AsType[*service.ImportMistakes](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			return m.First
		}
		const more = " Import the others with another file, before the products that name them."
		for file, want := range map[string]cohort.ImportMistake{
			line(1, "a", "") + line(2, "b", "") + line(3, "c", "") + `{"kind":"product","id":1,"name":"x","price":1,"brand_id":3}`: {
				Line: 3, Text: "An import has at most 10000 brands." + more},
			line(1, "a", "12345678") + line(2, "b", "1234567"):    {Line: 2, Text: "The brands of an import have at most 32 MiB." + more},
			line(1, "a", "") + line(2, "", "") + line(3, "c", ""): {Line: 2, Text: "name: The value must not be empty."},
		} {
			if diff := cmp.Diff([]cohort.ImportMistake{want}, mistakes(file)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", file, diff)
			}
		}
		importFile(t, svc, "a", line(1, "a", "12345678")+line(2, "b", "123456"), catalogfile.JSONL)
		importFile(t, svc, "a", line(3, "c", "")+line(4, "d", ""), catalogfile.JSONL)
	})
}
