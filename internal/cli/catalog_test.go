package cli_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/cli"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// file writes a file for a test and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var tookLine = regexp.MustCompile(`It took [0-9a-zµ.]+\.`)

// imported runs an import and returns what it prints, without the duration.
func imported(t *testing.T, args ...string) string {
	t.Helper()
	r := mustRun(t, append([]string{"catalog", "import"}, args...)...)
	if r.err != "" {
		t.Errorf("on standard error: %q", r.err)
	}
	return tookLine.ReplaceAllString(r.out, "It took …")
}

const smallCSV = `kind,id,parent_id,name,product_id,sku,price,categories,option_values
product,100,,Tee,,TEE,12.50,18;19,
variant,501,,,100,TEE-S,13,,7:101
category,19,18,"T-Shirts, blue",,,,,
category,18,,Shirts,,,,,
`

const smallJSONL = `{"kind":"product","id":100,"name":"Tee","sku":"TEE","price":12.5,"categories":[18,19],"bulk_pricing_rules":[{"quantity_min":10,"type":"percent","amount":5}]}
{"kind":"variant","id":501,"product_id":100,"sku":"TEE-S","price":"13","option_values":[{"option_id":7,"id":101}]}
`

func TestCatalogImport(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		const first = "KIND      ADDED  REPLACED  UNCHANGED\n" +
			"brand     0      0         0\ncategory  2      0         0\nproduct   1      0         0\nvariant   1      0         0\n\nIt took …"
		path := file(t, "catalog.csv", smallCSV)
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{path, "--dry-run"}, first + " This was a dry run: nothing is changed.\n"},
			{[]string{path}, first + "\n"},
			{[]string{file(t, "c.ndjson", smallJSONL)}, "KIND      ADDED  REPLACED  UNCHANGED\n" +
				"brand     0      0         0\ncategory  0      0         0\nproduct   0      1         0\nvariant   0      0         1\n\nIt took …\n"},
			{[]string{file(t, "c.txt", "id,name\n18,Shirt\n20,Hats\n"), "--format", "csv", "--kind", "category"}, "KIND      ADDED  REPLACED  UNCHANGED\n" +
				"brand     0      0         0\ncategory  1      1         0\nproduct   0      0         0\nvariant   0      0         0\n\nIt took …\n"},
		} {
			if diff := cmp.Diff(c.want, imported(t, append(c.args, "--store", "abc", "--db", db)...)); diff != "" {
				t.Errorf("%v (-want +got):\n%s", c.args, diff)
			}
		}
		r := runWith(t, smallJSONL, "catalog", "import", "-", "--format", "jsonl", "--store", "abc", "--db", db)
		if r.status != 0 || !strings.Contains(r.out, "product   0      0         1\n") {
			t.Errorf("from standard input: %+v", r)
		}
	})
}

func TestCatalogImportRefuses(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		dir := t.TempDir()
		path := file(t, "catalog.csv", smallCSV)
		for _, c := range []struct {
			args    []string
			status  int
			message string
		}{
			{[]string{"catalog", "--store", "abc"}, 2, "the name of the file does not end in .csv, .jsonl or .ndjson; give --format"},
			{[]string{"-", "--store", "abc"}, 2, "the name of the file does not end in .csv, .jsonl or .ndjson; give --format"},
			{[]string{path, "--store", "abd"}, 1, "store abd does not exist"},
			{[]string{dir + "/none.csv", "--store", "abc"}, 1, "open " + dir + "/none.csv: no such file or directory"},
			{[]string{dir, "--format", "csv", "--store", "abc"}, 1, dir + " is a directory"},
		} {
			wantFailure(t, run(t, append([]string{"catalog", "import", "--db", db}, c.args...)...), c.status, c.message)
		}
	})
}

// Mistakes are reported with their lines, both mistakes in single lines and those that
// only the whole file shows.
func TestCatalogImportOfABadFile(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		mustRun(t, "catalog", "import", file(t, "catalog.csv", smallCSV), "--store", "abc", "--db", db)
		bad := `kind,id,parent_id,name,product_id,sku,price,categories,option_values
product,1,,A,,,1.23456,,
product,2,,B,,,-1,,
product,3,,C,,,1e999,,
product,4,,D,,,123456789012345,,
product,5,,"E "quoted" ",,,1,,
product,6,,F,,,1
product,7,,G,,TEE,1,77,
category,18,19,Shirts,,,,,
category,30,31,Hats,,,,,
category,30,,Caps,,,,,
variant,0,,,1,,,,7:1
variant,9,,,8,,,,7:1;7:2
`
		want := `line 2: price: The amount must have at most 4 decimals.
line 3: price: The amount must not be negative.
line 4: price: "1e999" is not a decimal number, such as 12.50.
line 5: price: A price must have at most 14 digits before the point.
line 6: Column 4 has text after its closing quote. Double a quote within quotes.
line 7: The line has 7 columns, and the header has 9.
line 11: id: category 30 is in line 10 already.
line 12: id: An id is an integer from 1 to 1000000000000000.
line 13: option_values: There must be at most one value of option 7.
cohort: Nothing is imported: there are 9 mistakes.
`
		r := run(t, "catalog", "import", file(t, "bad.csv", bad), "--store", "abc", "--db", db)
		if diff := cmp.Diff(result{1, "", want}, r, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		together := `{"kind":"product","id":7,"name":"G","sku":"TEE","price":1,"categories":[77]}
{"kind":"category","id":18,"parent_id":19,"name":"Shirts"}
{"kind":"product","id":8,"name":"H","price":1,"bulk_pricing_rules":[{"quantity_min":5,"quantity_max":2,"type":"fixed","amount":1}]}
`
		want = `line 1: categories: category 77 is neither in the file nor in the store.
line 1: sku: variant 1000000001 of product 100 has the same SKU, and is not in the file.
line 2: parent_id: the category is below itself: 18 under 19 under 18.
line 3: bulk_pricing_rules: element 1: quantity_max: The quantity must not be less than quantity_min, or 0 for no end.
cohort: Nothing is imported: there are 4 mistakes.
`
		r = run(t, "catalog", "import", file(t, "bad.jsonl", together), "--store", "abc", "--db", db)
		if diff := cmp.Diff(result{1, "", want}, r, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		many := "kind,id,name\n" + strings.Repeat("category,x,y\n", 1000)
		r = run(t, "catalog", "import", file(t, "many.csv", many), "--store", "abc", "--db", db)
		if lines := strings.Split(r.err, "\n"); len(lines) != 103 || lines[99] != `line 101: id: "x" is not an id, which is a whole number.` ||
			lines[100] != "and 900 more" || lines[101] != "cohort: Nothing is imported: there are 1000 mistakes." {
			t.Errorf("of many mistakes:\n%s", r.err)
		}
	})
}

// A running server uses the new catalog from the next request on.
func TestCatalogImportReachesARunningServer(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		r := mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_products", "--db", db)
		token := strings.TrimSpace(r.out)
		s := serve(t, "--db", db)
		if a := s.get(t, "/stores/abc/v3/catalog/products/100", token); a.status != 404 {
			t.Fatalf("before: %d %s", a.status, a.body)
		}
		for _, price := range []string{"12.5", "99.95"} {
			mustRun(t, "catalog", "import", file(t, "catalog.csv", strings.Replace(smallCSV, "12.50", price, 1)), "--store", "abc", "--db", db)
			if a := s.get(t, "/stores/abc/v3/catalog/products/100", token); a.status != 200 || !strings.Contains(a.body, `"price":`+price+`,`) {
				t.Errorf("after: %d %s", a.status, a.body)
			}
		}
		// Ids that the server assigns follow those of the file.
		if a := s.post(t, "/stores/abc/v3/catalog/products", token, `{"name":"x","type":"physical","weight":0,"price":1}`); a.status != 200 || !strings.Contains(a.body, `"id":101,`) {
			t.Errorf("a new product: %d %s", a.status, a.body)
		}
	})
}

// While a file is read, a server shows the previous catalog.
func TestCatalogImportBesideAServer(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		mustRun(t, "catalog", "import", file(t, "c.csv", smallCSV), "--store", "abc", "--db", db)
		token := strings.TrimSpace(mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_products", "--db", db).out)
		s := serve(t, "--db", db)
		shows := func(price string) {
			t.Helper()
			if a := s.get(t, "/stores/abc/v3/catalog/products/100", token); a.status != 200 || !strings.Contains(a.body, `"price":`+price+`,`) {
				t.Errorf("want the price %s: %d %s", price, a.status, a.body)
			}
		}
		from, to := io.Pipe()
		ended := make(chan int)
		go func() {
			ended <- cli.Run(t.Context(), []string{"catalog", "import", "-", "--format", "csv", "--store", "abc", "--db", db},
				cli.Streams{In: from, Out: newOutput(), Err: newOutput()})
		}()
		fmt.Fprint(to, strings.Replace(smallCSV, "12.50", "99.95", 1)) // returns when it is being read
		shows("12.5")
		to.Close()
		if status := <-ended; status != 0 {
			t.Errorf("exit status %d", status)
		}
		shows("99.95")
	})
}

// Ctrl-C stops an import that waits for a pipe.
func TestCatalogImportThatIsStopped(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		from, to := io.Pipe()
		defer to.Close()
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			fmt.Fprint(to, smallCSV)
			stop()
		}()
		out, errs := newOutput(), newOutput()
		status := cli.Run(ctx, []string{"catalog", "import", "-", "--format", "csv", "--store", "abc", "--db", db}, cli.Streams{In: from, Out: out, Err: errs})
		wantFailure(t, result{status, out.String(), errs.String()}, 1, "stopped: nothing is imported")
		if text := imported(t, file(t, "c.csv", smallCSV), "--store", "abc", "--db", db); !strings.Contains(text, "product   1      0         0\n") {
			t.Errorf("the stopped import left rows behind:\n%s", text)
		}
	})
}

func TestCatalogImportOfABrokenPipe(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	from, to := io.Pipe()
	go func() {
		fmt.Fprint(to, smallCSV)
		to.CloseWithError(errors.New("the disk is gone"))
	}()
	out, errs := newOutput(), newOutput()
	status := cli.Run(t.Context(), []string{"catalog", "import", "-", "--format", "csv", "--store", "abc", "--db", db}, cli.Streams{In: from, Out: out, Err: errs})
	wantFailure(t, result{status, out.String(), errs.String()}, 1, "read the file: the disk is gone")
}

// An import of a long file needs little memory. The pipe breaks after a million lines, so
// that the test does not wait until they are written. The lines would need more memory
// than the bound.
func TestCatalogImportOfAMillionLines(t *testing.T) {
	lines, most := testenv.Times(1_000_000, 250_000), testenv.Times[uint64](64<<20, 24<<20)
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	from, to := io.Pipe()
	var highest uint64
	go func() {
		w := bufio.NewWriter(to)
		fmt.Fprintln(w, "id,name")
		for i := range lines {
			fmt.Fprintf(w, "%d,Category number %d\n", i+1, i+1)
			if i%(lines/20) == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				highest = max(highest, m.HeapAlloc)
			}
		}
		to.CloseWithError(errors.Join(w.Flush(), errors.New("that was the last line")))
	}()
	out, errs := newOutput(), newOutput()
	begun := time.Now()
	status := cli.Run(t.Context(), []string{"catalog", "import", "-", "--format", "csv", "--kind", "category", "--store", "abc", "--db", db}, cli.Streams{In: from, Out: out, Err: errs})
	wantFailure(t, result{status, out.String(), errs.String()}, 1, "read the file: that was the last line")
	t.Logf("%d lines in %s, at most %d KiB on the heap", lines, time.Since(begun), highest>>10)
	if highest > most {
		t.Errorf("%d bytes on the heap, want at most %d", highest, most)
	}
}

func TestStoreShow(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--plan", "pro", "--catalog", "managed", "--currency", "eur", "--db", db)
		mustRun(t, "store", "create", "xyz", "--db", db)
		show := func(store string) string {
			return regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(mustRun(t, "store", "show", store, "--db", db).out, "…")
		}
		want := "STORE           abc\nPLAN            pro\nQUOTA           450\nMAX CONCURRENT  default\nCATALOG         managed\nCURRENCY        EUR\nEVENTS          off\nEVENT DAYS      30\nEVENT COUNT     100000\nCREATED         …\n" +
			"STORE ID        3833052024919718\nNAME            abc\nDOMAIN          store-abc.example\nTIME ZONE       UTC\nEMAIL           admin@store-abc.example\n" +
			"CONTACT         Store Owner\nCOUNTRY         United States\nLANGUAGE        en\n"
		if diff := cmp.Diff(want, show("abc")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		want = "STORE           xyz\nPLAN            unlimited\nQUOTA           none\nMAX CONCURRENT  default\nCATALOG         external\nCURRENCY        USD\nEVENTS          off\nEVENT DAYS      30\nEVENT COUNT     100000\nCREATED         …\n" +
			"STORE ID        195386412434209\nNAME            xyz\nDOMAIN          store-xyz.example\nTIME ZONE       UTC\nEMAIL           admin@store-xyz.example\n" +
			"CONTACT         Store Owner\nCOUNTRY         United States\nLANGUAGE        en\n"
		if diff := cmp.Diff(want, show("xyz")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		wantFailure(t, run(t, "store", "show", "abd", "--db", db), 1, "store abd does not exist")
	})
}

func TestStoreUpdateOfCatalogAndCurrency(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--plan", "pro", "--db", db)
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{"--catalog", "managed"}, "Its catalog is managed, its currency USD.\n"},
			{[]string{"--currency", "jpy"}, "Its catalog is managed, its currency JPY.\n"},
			{[]string{"--max-concurrent", "3"}, ""},
			{[]string{"--catalog", "external", "--currency", "EUR"}, "Its catalog is external, its currency EUR.\n"},
		} {
			r := mustRun(t, append([]string{"store", "update", "abc", "--db", db}, c.args...)...)
			if _, rest, _ := strings.Cut(r.out, "\n"); rest != c.want || !strings.HasPrefix(r.out, "Store abc: plan pro, ") {
				t.Errorf("%v: %q", c.args, r.out)
			}
		}
		wantFailure(t, run(t, "store", "update", "abc", "--catalog", "mine", "--db", db), 1, "A catalog is managed or external.")
		wantFailure(t, run(t, "store", "update", "abc", "--currency", "XXX", "--db", db), 1, "A currency is a code of ISO 4217, such as USD.")
		wantFailure(t, run(t, "store", "create", "def", "--currency", "EURO", "--db", db), 1, "A currency is a code of ISO 4217, such as USD.")
		if r := run(t, "store", "create", "def", "--catalog", "mine", "--db", db); r.status != 2 {
			t.Errorf("%+v", r)
		}
	})
}
