package catalogfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/catalogfile"
	"cohort.example/cohort/internal/catalogfile/catalogtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func written(t testing.TB, items []cohort.CatalogItem, f catalogfile.Format) string {
	t.Helper()
	var b bytes.Buffer
	w := catalogfile.NewWriter(&b, f, cohort.CatalogKinds())
	for _, i := range items {
		if err := w.Write(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A Reader reads back what a Writer has written, with all fields.
func TestWriteRoundTrip(t *testing.T) {
	for _, f := range []catalogfile.Format{catalogfile.CSV, catalogfile.JSONL} {
		t.Run(string(f), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				want := catalogtest.Catalog(rt, f)
				file := written(t, want, f)
				got := readAll(t, strings.NewReader(file), f, "")
				for i := range got {
					if got[i].KeepBulkTiers || f == catalogfile.CSV && !got[i].ReplaceDetails {
						rt.Fatalf("line %d keeps stored fields", got[i].Line)
					}
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(cohort.CatalogItem{}, "Line", "ReplaceDetails")); diff != "" {
					rt.Fatalf("%s\n(-written +read):\n%s", file, diff)
				}
				if again := written(t, got, f); again != file {
					rt.Fatalf("(-written +written again):\n%s", cmp.Diff(file, again))
				}
			})
		})
	}
}

// TestReplaceDetails checks which items replace the stored details.
func TestReplaceDetails(t *testing.T) {
	for _, c := range []struct {
		name, file string
		format     catalogfile.Format
		kind       cohort.CatalogKind
		want       []bool
	}{
		{"CSV without further columns", "kind,id,name,price,product_id,weight\ncategory,1,x,,,\nproduct,1,x,1,,\nvariant,1,,,1,\n", "csv", "", []bool{false, false, false}},
		{"the weight, which products have anyway", "kind,id,name,price,product_id,weight\nproduct,1,x,1,,\nvariant,1,,,1,\nvariant,2,,,1,3\n", "csv", "", []bool{false, false, true}},
		{"the weight of variants", "id,product_id,weight\n1,1,\n", "csv", "variant", []bool{true}},
		{"a column of one kind", "kind,id,name,price,product_id,warranty\ncategory,1,x,,,\nproduct,1,x,1,,\nvariant,1,,,1,\n", "csv", "", []bool{false, true, false}},
		{"brands", "kind,id,name,meta_description\nbrand,1,x,\n", "csv", "", []bool{true}},
		{"brands by name", "kind,id,name,warranty\nbrand,1,x,\n", "csv", "", []bool{false}},
		{"brands in JSONL", `{"kind":"brand","id":1,"name":"x"}
{"kind":"brand","id":1,"name":"x","page_title":""}
{"kind":"brand","id":1,"name":"x","page_title":null}
`, "jsonl", "", []bool{false, true, false}},
		{"a brand", "kind,id,name,price,product_id,brand_id\nproduct,1,x,1,,\nvariant,1,,,1,\n", "csv", "", []bool{true, false}},
		{"JSONL", `{"kind":"product","id":1,"name":"x","price":1,"weight":2}
{"kind":"product","id":1,"name":"x","price":1,"brand_id":0}
{"kind":"product","id":1,"name":"x","price":1,"description":null,"brand_id":null}
{"kind":"product","id":1,"name":"x","price":1,"description":""}
{"kind":"product","id":1,"name":"x","price":1,"preorder_release_date":null}
{"kind":"variant","id":1,"product_id":1,"weight":null}
`, "jsonl", "", []bool{false, true, false, true, true, true}},
	} {
		var got []bool
		for _, item := range readAll(t, strings.NewReader(c.file), c.format, c.kind) {
			if item.Err != nil {
				t.Errorf("%s: %v", c.name, item.Err)
			}
			got = append(got, item.ReplaceDetails)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestWriteOfWhatAFormatCannotHold(t *testing.T) {
	product := func(field, value string) cohort.CatalogItem {
		return cohort.CatalogItem{Kind: cohort.CatalogProduct, ID: 7, Product: cohort.Product{Name: "x", Details: cohort.Details{field: json.RawMessage(value)}}}
	}
	variant := func(field, value string) cohort.CatalogItem {
		return cohort.CatalogItem{Kind: cohort.CatalogVariant, ID: 7, Variant: cohort.Variant{ProductID: 1, Details: cohort.Details{field: json.RawMessage(value)}}}
	}
	long := product("description", `"`+strings.Repeat("x", catalogfile.MaxLine)+`"`)
	for _, c := range []struct {
		item      cohort.CatalogItem
		csv, json string // the errors
	}{
		{variant("upc", "null"), "variant 7: upc: it is null, and a cell of CSV cannot be; use JSONL", ""},
		{variant("weight", "null"), "", ""},
		{product("layout_file", `""`), `product 7: layout_file: it is an empty text, but an empty cell of CSV stands for the default, "product.html"; use JSONL`, ""},
		{product("warranty", `""`), "", ""},
		{long, "product 7: its line would have 1048648 bytes, and an import reads lines of at most 1 MiB", "product 7: its line would have 1048639 bytes, and an import reads lines of at most 1 MiB"},
	} {
		for f, want := range map[catalogfile.Format]string{catalogfile.CSV: c.csv, catalogfile.JSONL: c.json} {
			got := ""
			if err := catalogfile.NewWriter(&bytes.Buffer{}, f, []cohort.CatalogKind{c.item.Kind}).Write(c.item); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: error %q, want %q", f, got, want)
			}
		}
	}
}

var errFull = errors.New("the disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	for _, f := range []catalogfile.Format{catalogfile.CSV, catalogfile.JSONL} {
		w := catalogfile.NewWriter(fullDisk{}, f, cohort.CatalogKinds())
		err := w.Write(cohort.CatalogItem{Kind: cohort.CatalogCategory, ID: 1, Category: cohort.Category{Name: "x"}})
		if err = errors.Join(err, w.Flush()); !errors.Is(err, errFull) {
			t.Errorf("%s: error %v", f, err)
		}
	}
}

// The page about imports has a row with the further fields of each kind.
func TestDocumentedFields(t *testing.T) {
	page, err := os.ReadFile("../../docs/catalog-import.md")
	if err != nil {
		t.Fatal(err)
	}
	for kind, fields := range map[cohort.CatalogKind][]cohort.DetailField{
		cohort.CatalogBrand:    cohort.BrandDetails,
		cohort.CatalogCategory: cohort.CategoryDetails, cohort.CatalogProduct: cohort.ProductDetails, cohort.CatalogVariant: cohort.VariantDetails,
	} {
		var names []string
		if kind == cohort.CatalogProduct {
			names = append(names, "`brand_id`")
		}
		for _, f := range fields {
			names = append(names, "`"+f.Name+"`")
		}
		if row := "| `" + string(kind) + "` | " + strings.Join(names, ", ") + " |\n"; !strings.Contains(string(page), row) {
			t.Errorf("docs/catalog-import.md does not have the row\n%s", row)
		}
	}
}
