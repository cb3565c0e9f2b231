package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"

	"github.com/google/go-cmp/cmp"
)

const exportJSONL = `{"kind":"brand","id":3,"name":"Acme, Inc.","meta_keywords":["a","b"],"custom_url":{"url":"/acme/","is_customized":true}}
{"kind":"brand","id":5,"name":"Zeta"}
{"kind":"category","id":18,"name":"Shirts","is_visible":false}
{"kind":"category","id":19,"parent_id":18,"name":"T-Shirts, blue"}
{"kind":"product","id":100,"name":"Tee","sku":"TEE","price":12.5,"categories":[18,19],"bulk_pricing_rules":[{"quantity_min":10,"type":"percent","amount":5}],"brand_id":3,"description":"<b>\"A\"</b>\r\né","meta_keywords":["a","b"]}
{"kind":"variant","id":501,"product_id":100,"sku":"TEE-S","price":13,"option_values":[{"option_id":7,"id":101}],"weight":null}
{"kind":"variant","id":502,"product_id":100,"sku":"TEE"}
`

// filesIn returns the names of the files in a folder.
func filesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCatalogExport(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		mustRun(t, "store", "create", "copy", "--db", db)
		imported(t, file(t, "c.jsonl", exportJSONL), "--store", "abc", "--db", db)
		folder := t.TempDir()
		path := func(name string) string { return filepath.Join(folder, name) }
		export := func(args ...string) string {
			t.Helper()
			r := mustRun(t, append([]string{"catalog", "export", "--store", "abc", "--db", db}, args...)...)
			if r.err != "" {
				t.Errorf("on standard error: %q", r.err)
			}
			return r.out
		}
		want := "KIND      EXPORTED\nbrand     2\ncategory  2\nproduct   1\nvariant   2\n"
		if diff := cmp.Diff(want, export(path("a.jsonl"))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(exportJSONL, contentOf(t, path("a.jsonl"))); diff != "" {
			t.Errorf("(-imported +exported):\n%s", diff)
		}
		if diff := cmp.Diff(exportJSONL, export("-", "--format", "jsonl")); diff != "" {
			t.Errorf("on standard output (-want +got):\n%s", diff)
		}
		export(path("a.csv"))
		mustRun(t, "catalog", "import", path("a.csv"), "--store", "copy", "--db", db)
		mustRun(t, "catalog", "export", path("copy.csv"), "--store", "copy", "--db", db)
		if diff := cmp.Diff(contentOf(t, path("a.csv")), contentOf(t, path("copy.csv"))); diff != "" {
			t.Errorf("from the copy (-want +got):\n%s", diff)
		}
		variants := "kind,id,product_id,sku,price,sale_price,retail_price,map_price,option_values,weight,width,height,depth,is_free_shipping,fixed_cost_shipping_price," +
			"purchasing_disabled,purchasing_disabled_message,image_url,cost_price,upc,mpn,gtin,inventory_level,inventory_warning_level,bin_picking_number\n" +
			"variant,501,100,TEE-S,13,,,,7:101,,,,,,,,,,,,,,,,\nvariant,502,100,TEE,,,,,,,,,,,,,,,,,,,,,\n"
		if diff := cmp.Diff(variants, export("-", "--format", "csv", "--kind", "variant")); diff != "" {
			t.Errorf("of one kind (-want +got):\n%s", diff)
		}
		brands := "kind,id,name,page_title,meta_keywords,meta_description,image_url,search_keywords,custom_url\n" +
			`brand,3,"Acme, Inc.",,"[""a"",""b""]",,,,"{""url"":""/acme/"",""is_customized"":true}"` + "\nbrand,5,Zeta,,,,,,\n"
		if diff := cmp.Diff(brands, export("-", "--format", "csv", "--kind", "brand")); diff != "" {
			t.Errorf("of brands (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a.csv", "a.jsonl", "copy.csv"}, filesIn(t, folder)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	})
}

// An export replaces an existing file as a whole, also behind a symbolic link, and keeps
// its mode.
func TestCatalogExportReplacesAFile(t *testing.T) {
	t.Parallel()
	db, folder := newDB(t), t.TempDir()
	mustRun(t, "store", "create", "abc", "--db", db)
	imported(t, file(t, "c.jsonl", exportJSONL), "--store", "abc", "--db", db)
	old, link := filepath.Join(folder, "old.jsonl"), filepath.Join(folder, "link.jsonl")
	if err := os.WriteFile(old, []byte("old\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("old.jsonl", link); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "catalog", "export", link, "--store", "abc", "--db", db)
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link has become %v (%v)", info.Mode(), err)
	}
	if info, err := os.Stat(old); err != nil || info.Mode() != 0o640 || contentOf(t, old) != exportJSONL {
		t.Errorf("the file has the mode %v (%v) and the content\n%s", info.Mode(), err, contentOf(t, old))
	}
}

// An export that fails leaves no file, and an existing one as it was.
func TestCatalogExportThatFails(t *testing.T) {
	t.Parallel()
	db, folder := newDB(t), t.TempDir()
	mustRun(t, "store", "create", "abc", "--db", db)
	imported(t, file(t, "c.jsonl", exportJSONL+`{"kind":"variant","id":503,"product_id":100,"option_values":[{"option_id":7,"id":102}],"upc":null}`+"\n"), "--store", "abc", "--db", db)
	existing, missing := filepath.Join(folder, "existing.csv"), filepath.Join(folder, "missing.csv")
	if err := os.WriteFile(existing, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := filepath.Join(folder, "nowhere", "a.csv")
	for _, c := range []struct {
		path, store, message string
	}{
		{existing, "abc", "variant 503: upc: it is null, and a cell of CSV cannot be; use JSONL"},
		{missing, "abc", "variant 503: upc: it is null, and a cell of CSV cannot be; use JSONL"},
		{missing, "abd", "store abd does not exist"},
		{nowhere, "abc", "write " + nowhere + ": no such file or directory"},
		{folder, "abc", folder + " is a directory"},
	} {
		wantFailure(t, run(t, "catalog", "export", c.path, "--format", "csv", "--store", c.store, "--db", db), 1, c.message)
	}
	if r := run(t, "catalog", "export", filepath.Join(folder, "a.txt"), "--store", "abc", "--db", db); r.status != 2 || !strings.Contains(r.err, "give --format") {
		t.Errorf("a name without a format: %+v", r)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	errs := newOutput()
	if status := cli.Run(ctx, []string{"catalog", "export", missing, "--store", "abc", "--db", db}, cli.Streams{Out: newOutput(), Err: errs}); status != 1 {
		t.Errorf("a stopped export: %d %s", status, errs)
	}
	if diff := cmp.Diff([]string{"existing.csv"}, filesIn(t, folder)); diff != "" || contentOf(t, existing) != "old" {
		t.Errorf("files (-want +got):\n%s\nand the existing one has %q", diff, contentOf(t, existing))
	}
}
