package catalogfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/catalogfile"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func readAll(t testing.TB, r io.Reader, f catalogfile.Format, kind cohort.CatalogKind) (items []cohort.CatalogItem) {
	t.Helper()
	reader := catalogfile.NewReader(r, f, kind)
	for {
		item, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return items
		}
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
}

// report returns a line per item: its line number and its error, or "ok".
func report(items []cohort.CatalogItem) string {
	var b strings.Builder
	for _, i := range items {
		text := "ok"
		if i.Err != nil {
			e, _ := errors.AsType[*cohort.Error](i.Err)
			text = strings.TrimPrefix(e.Field+": ", ": ") + e.Reason + e.Message
		}
		fmt.Fprintf(&b, "%d %s\n", i.Line, text)
	}
	return b.String()
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]catalogfile.Format{
		"a.csv": catalogfile.CSV, "/b/A.CSV": catalogfile.CSV, "a.jsonl": catalogfile.JSONL, "x.y.ndjson": catalogfile.JSONL,
		"a.json": "", "csv": "", "-": "", "": "",
	} {
		if got, ok := catalogfile.FormatOf(name); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", name, got, ok)
		}
	}
}

func TestInvalidCSV(t *testing.T) {
	long := strings.Repeat("x", catalogfile.MaxLine)
	for _, c := range []struct {
		name, file string
		kind       cohort.CatalogKind
		want       string
	}{
		{"empty", "", "", "1 The file is empty: there is nothing to import.\n"},
		{"only a byte order mark", "\ufeff", "", "1 The file is empty: there is nothing to import.\n"},
		{"empty lines", "\n\r\n", "", "2 The file is empty: there is nothing to import.\n"},
		{"only a header", "kind,id\n", "", "1 The file is empty: there is nothing to import.\n"},
		{"with a byte order mark", "\ufeffid,name\n1,x\n", "category", "2 ok\n"},
		{"UTF-16", "\xff\xfei\x00d\x00", "", "1 The file is in UTF-16. Save it as UTF-8.\n"},
		{"big-endian UTF-16", "\xfe\xff\x00i", "", "1 The file is in UTF-16. Save it as UTF-8.\n"},
		{"binary", "PK\x03\x04\x14\n1,2\n", "", "1 The file is not text: its first line has a byte 0x03. Use an uncompressed CSV or JSONL file.\n"},
		{"binary without lines", "\x1f\x8b" + long + long, "", "1 The file is not text: its first line has a byte 0x1f. Use an uncompressed CSV or JSONL file.\n"},
		{"Latin-1", "id,name\n1,caf\xe9\n2,x\n", "category", "2 The line is not UTF-8: the byte 0xe9 at position 6 does not start a character.\n3 ok\n"},
		{"NUL", "id,name\n1,a\x00b\n2,x\n", "category", "2 The byte at position 4 is 0x00, which is not text.\n3 ok\n"},
		{"unclosed quote", "id,name\n1,\"x\n2,y\n3,z\n", "category", "2 A quote that opens in this line is not closed within 1 MiB. The rest of the file is not read.\n"},
		{"unclosed quote without end", "id,name\n1,\"x\n" + strings.Repeat("xxxxxxxxx\n", 200_000), "category", "2 A quote that opens in this line is not closed within 1 MiB. The rest of the file is not read.\n"},
		{"quote in the header", "id,\"name\n", "category", "1 A quote that opens in this line is not closed within 1 MiB. The rest of the file is not read.\n"},
		{"nested quotes", "id,name\n1,\"a \"b\" c\"\n2,a\"b\n3,\"a\"\"b\"\n", "category", "2 Column 2 has text after its closing quote. Double a quote within quotes.\n3 Column 2 contains a quote. Enclose the value in quotes and double the quote in it.\n4 ok\n"},
		{"columns", "id,name\n1\n1,x,y\n\n2,x\n", "category", "2 The line has 1 columns, and the header has 2.\n3 The line has 3 columns, and the header has 2.\n5 ok\n"},
		{"carriage returns", "id,name\r1,x\r", "category", "1 Column 2 contains a carriage return that does not end the line. Lines end in LF or CR LF.\n"},
		{"a line that is too long", "id,name\n1,x\n2," + long, "category", "2 ok\n3 The line is longer than 1 MiB. The rest of the file is not read.\n"},
		{"unknown column", "id,name,colour\n1,x,y\n", "category", "1 The header has an unknown column, \"colour\". Known columns: id, kind, name, parent_id, and further fields such as description.\n"},
		{"column of another kind", "id,name,price\n1,x,1\n", "category", "1 The header has an unknown column, \"price\". Known columns: id, kind, name, parent_id, and further fields such as description.\n"},
		{"unknown column of any kind", "kind,id,colour\n", "", "1 The header has an unknown column, \"colour\". Known columns: brand_id, bulk_pricing_rules, categories, id, kind, map_price, name, option_values, parent_id, price, product_id, retail_price, sale_price, sku, type, weight, and further fields such as page_title.\n"},
		{"brands", "id,name,page_title,custom_url\n1,x,t,\n2,y,,{}\n3,,,\n", "brand", "2 ok\n3 custom_url: url: The field is required.\n4 name: It is missing.\n"},
		{"further field of another kind", "kind,id,name,views,price,warranty\ncategory,1,x,3,,\nproduct,2,x,3,1,\nproduct,3,x,,1,w\n", "", "2 ok\n3 A product has no views.\n4 ok\n"},
		{"further fields", "id,name,price,is_visible,tax_class_id,width,preorder_release_date,related_products,custom_url,condition\n" +
			"1,x,1,TRUE, 3 , 1.5 ,2026-01-31T12:00:00+01:00,[],{},New\n2,x,1,yes,,,,,,\n3,x,1,,256,,,,,\n4,x,1,,1.5,,,,,\n5,x,1,,,null,,,,\n6,x,1,,,,tomorrow,,,\n" +
			"7,x,1,,,,,\"[1,true]\",,\n8,x,1,,,,,[1,,\n9,x,1,,,,,7,,\n10,x,1,,,,,,\"{\"\"url\"\":\"\"\"\"}\",\n11,x,1,,,,,,,old\n12,x,1,,,,,null,,\n", "product",
			"2 custom_url: url: The field is required.\n3 is_visible: The value must be true or false.\n4 tax_class_id: The value must be from 0 to 255.\n5 tax_class_id: The value must be a whole number.\n" +
				"6 width: The value must be a number.\n7 preorder_release_date: The value must be a date with time and zone, such as 2026-01-31T12:00:00Z.\n" +
				"8 related_products: element 2: The value must be a whole number.\n9 related_products: \"[1\" is not valid JSON.\n10 related_products: The value must be an array.\n" +
				"11 custom_url: url: The value must not be empty.\n12 condition: The value must be one of: New, Used, Refurbished.\n13 related_products: The value must not be null.\n"},
		{"tiers", "id,name,price,bulk_pricing_rules\n1,x,1,\"[{\"\"quantity_min\"\":1,\"\"amount\"\":2}]\"\n2,x,1,[1\n3,x,1,[]\n", "product",
			"2 bulk_pricing_rules: element 1: the field type is missing.\n3 bulk_pricing_rules: \"[1\" is not valid JSON.\n4 ok\n"},
		{"column twice", "id, NAME ,name\n", "category", "1 The header has the column \"name\" twice.\n"},
		{"column without name", "id,,name\n", "category", "1 Column 2 of the header has no name.\n"},
		{"no kind", "id,name\n1,x\n", "", "1 The header has no column kind. If all lines are of one kind, set it with --kind.\n"},
		{"no id", "kind,name\n", "", "1 The header has no column id.\n"},
		{"kinds", "kind,id,name,price\n,1,x,\nthing,2,x,\nCategory,3,x,\ncategory,4,x,5\n", "", "2 kind: It is missing. It is brand, category, product or variant; if all lines are of one kind, set it with --kind.\n3 kind: \"thing\" is not brand, category, product or variant.\n4 ok\n5 A category has no price.\n"},
		{"kind against --kind", "kind,id,name\ncategory,1,x\n,2,x\nproduct,3,x\n", "category", "2 ok\n3 ok\n4 kind: It is product, but --kind is category.\n"},
		{"missing", "id,name,price\n,x,1\n2,,1\n3,x,\n", "product", "2 id: It is missing.\n3 name: It is missing.\n4 price: It is missing.\n"},
		{"numbers", "id,name,price\nx,x,1\n+1,x,1\n1.0,x,1\n9223372036854775808,x,1\n1,x,1e999\n2,x,NaN\n3,x,\"1,50\"\n4,x,$1\n5,x, 1 \n", "product", "2 id: \"x\" is not an id, which is a whole number.\n3 id: \"+1\" is not an id, which is a whole number.\n4 id: \"1.0\" is not an id, which is a whole number.\n5 id: \"9223372036854775808\" is not an id, which is a whole number.\n6 price: \"1e999\" is not a decimal number, such as 12.50.\n7 price: \"NaN\" is not a decimal number, such as 12.50.\n8 price: \"1,50\" is not a decimal number, such as 12.50.\n9 price: \"$1\" is not a decimal number, such as 12.50.\n10 ok\n"},
		{"lists", "kind,id,name,price,product_id,categories,option_values\nproduct,1,x,1,,18;,\nproduct,1,x,1,,\"18,19\",\nvariant,1,,,1,,7\nvariant,1,,,1,,7:1;\nvariant,1,,,1,, 7:1 ; 8:2\n", "", "2 categories: \"18;\" is not a list of ids, such as 18;19.\n3 categories: \"18,19\" is not a list of ids, such as 18;19.\n4 option_values: \"7\" is not a list of options and values, such as 7:101;8:112.\n5 option_values: \"7:1;\" is not a list of options and values, such as 7:101;8:112.\n6 ok\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Also with short reads, as from a pipe.
			for _, r := range []io.Reader{strings.NewReader(c.file), iotest.HalfReader(strings.NewReader(c.file)), iotest.DataErrReader(strings.NewReader(c.file))} {
				if diff := cmp.Diff(c.want, report(readAll(t, r, catalogfile.CSV, c.kind))); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestInvalidJSONL(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"empty", " \n\n", "2 The file is empty: there is nothing to import.\n"},
		{"an array", "[{\"id\":1},\n", "1 The file is a JSON array. JSONL has one object in each line.\n"},
		{"UTF-16", "\xff\xfe{\x00", "1 The file is in UTF-16. Save it as UTF-8.\n"},
		{"a byte order mark", "\ufeff{\"kind\":\"category\",\"id\":1,\"name\":\"x\"}", "1 ok\n"},
		{"not JSON", "{\"kind\":\n{}\n7\n{\"kind\":\"category\",\"id\":1,\"name\":\"x\"}\r\n", "1 The line is not valid JSON: it ends early, at byte 9.\n2 kind: It is missing. It is brand, category, product or variant; if all lines are of one kind, set it with --kind.\n3 The line must be a JSON object.\n4 ok\n"},
		{"not UTF-8", "{\"kind\":\"category\",\"id\":1,\"name\":\"\xe9\"}", "1 The line is not UTF-8: the byte 0xe9 at position 35 does not start a character.\n"},
		{"unknown fields", "{\"kind\":\"category\",\"id\":1,\"name\":\"x\",\"colour\":null}\n{\"kind\":\"category\",\"id\":1,\"name\":\"x\",\"price\":1}\n{\"kind\":\"category\",\"id\":1,\"name\":\"x\",\"price\":null}", "1 There is no field \"colour\".\n2 A category has no price.\n3 ok\n"},
		{"types", "{\"kind\":\"product\",\"id\":1.5,\"name\":\"x\",\"price\":1}\n{\"kind\":\"product\",\"id\":\"1\",\"name\":7,\"price\":1}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":true}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1e999}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1,\"categories\":7}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1,\"categories\":[7,\"x\"]}\n{\"kind\":3,\"id\":1}", "1 id: \"1.5\" is not an id, which is a whole number.\n2 name: \"7\" is not a string.\n3 price: \"true\" is not a decimal number, such as 12.50.\n4 price: \"1e999\" is not a decimal number, such as 12.50.\n5 categories: \"7\" is not an array.\n6 categories: element 2: \"x\" is not an id, which is a whole number.\n7 kind: \"3\" is not a string.\n"},
		{"tiers", "{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1,\"bulk_pricing_rules\":[{\"quantity_min\":1,\"amount\":2}]}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1,\"bulk_pricing_rules\":[7]}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1,\"bulk_pricing_rules\":[{\"min\":1}]}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1,\"bulk_pricing_rules\":[{\"quantity_min\":1,\"quantity_max\":null,\"type\":\"percent\",\"amount\":\"2\"}]}", "1 bulk_pricing_rules: element 1: the field type is missing.\n2 bulk_pricing_rules: element 1: \"7\" is not an object.\n3 bulk_pricing_rules: element 1: there is no field \"min\".\n4 ok\n"},
		{"further fields", "{\"kind\":\"category\",\"id\":1,\"name\":\"x\",\"views\":\"many\",\"page_title\":7}\n{\"kind\":\"category\",\"id\":1,\"name\":\"x\",\"warranty\":\"\"}\n" +
			"{\"kind\":\"category\",\"id\":1,\"name\":\"x\",\"description\":null,\"warranty\":null,\"views\":\"7\"}\n{\"kind\":\"product\",\"id\":1,\"name\":\"x\",\"price\":1,\"custom_url\":{\"url\":\"/x/\",\"color\":1},\"brand_id\":\"x\"}\n",
			"1 views: The value must be a whole number.\n2 A category has no warranty.\n3 ok\n4 custom_url: color: The field is not supported.\n"},
		{"brands", "{\"kind\":\"brand\",\"id\":1,\"name\":\"x\",\"image_url\":\"i\"}\n{\"kind\":\"brand\",\"id\":1,\"name\":\"x\",\"views\":1}\n{\"kind\":\"brand\",\"id\":1,\"name\":\"x\",\"meta_keywords\":[1]}\n",
			"1 ok\n2 A brand has no views.\n3 meta_keywords: element 1: The value must be a string.\n"},
		{"options", "{\"kind\":\"variant\",\"id\":1,\"product_id\":1,\"option_values\":[{\"option_id\":1}]}\n{\"kind\":\"variant\",\"id\":1,\"option_values\":[]}", "1 option_values: element 1: the field id is missing.\n2 product_id: It is missing.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, report(readAll(t, strings.NewReader(c.file), catalogfile.JSONL, ""))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeparators(t *testing.T) {
	want := readAll(t, strings.NewReader("kind,id,name,price,categories\nproduct,1,\"a,b;c\td\",2,18;19\n"), catalogfile.CSV, "")
	for _, file := range []string{
		"kind;id;name;price;categories\nproduct;1;\"a,b;c\td\";2;\"18;19\"\n",
		"kind\tid\tname\tprice\tcategories\nproduct\t1\t\"a,b;c\td\"\t2\t18;19\n",
	} {
		if diff := cmp.Diff(want, readAll(t, strings.NewReader(file), catalogfile.CSV, "")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", file, diff)
		}
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("the pipe is broken")
	for _, file := range []string{"", "id,na", "id,name\n", "id,name\n1,x\n2", "id,name\n1,\"x"} {
		reader := catalogfile.NewReader(io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken)), catalogfile.CSV, "category")
		var err error
		for err == nil {
			_, err = reader.Next()
		}
		if !errors.Is(err, broken) {
			t.Errorf("%q: error %v", file, err)
		}
	}
}

// anyItem generates items that both formats can represent.
func anyItem(t *rapid.T, formatted catalogfile.Format) cohort.CatalogItem {
	text := rapid.StringMatching(`[a-z",;:\t\n é日😀-]{1,12}`)
	price := rapid.Custom(func(t *rapid.T) decimal.Decimal { return decimal.New(rapid.Int64Range(0, 1e15).Draw(t, "price"), -4) })
	maybe := rapid.Custom(func(t *rapid.T) decimal.NullDecimal {
		return decimal.NullDecimal{Decimal: price.Draw(t, "price"), Valid: true}
	})
	id := rapid.Int64Range(1, cohort.MaxCatalogID)
	item := cohort.CatalogItem{Kind: rapid.SampledFrom(cohort.CatalogKinds()).Draw(t, "kind"), ID: id.Draw(t, "id")}
	switch item.Kind {
	case cohort.CatalogBrand:
		item.Brand.Name = text.Draw(t, "name")
	case cohort.CatalogCategory:
		item.Category = cohort.Category{ParentID: rapid.Int64Range(0, 9).Draw(t, "parent"), Name: text.Draw(t, "name")}
	case cohort.CatalogProduct:
		item.KeepBulkTiers = formatted == catalogfile.CSV
		item.Product = cohort.Product{
			Name: text.Draw(t, "name"), Type: rapid.SampledFrom([]cohort.ProductType{"physical", "digital"}).Draw(t, "type"),
			SKU: text.Draw(t, "sku"), Weight: price.Draw(t, "weight"), Price: price.Draw(t, "price"), SalePrice: price.Draw(t, "sale"),
			RetailPrice: price.Draw(t, "retail"), MAPPrice: price.Draw(t, "map"), Categories: rapid.SliceOfN(id, 1, 3).Draw(t, "categories"),
		}
	case cohort.CatalogVariant:
		item.Variant = cohort.Variant{
			ProductID: id.Draw(t, "product"), SKU: text.Draw(t, "sku"), Price: maybe.Draw(t, "price"), SalePrice: maybe.Draw(t, "sale"),
			RetailPrice: maybe.Draw(t, "retail"), MAPPrice: maybe.Draw(t, "map"),
			OptionValues: []cohort.OptionValue{{OptionID: id.Draw(t, "option"), ValueID: id.Draw(t, "value")}},
		}
	}
	return item
}

// fieldsOf returns the fields of an item in a file. In CSV, lists are strings.
func fieldsOf(i cohort.CatalogItem, f catalogfile.Format) map[string]any {
	fields := map[string]any{"kind": string(i.Kind), "id": i.ID}
	switch i.Kind {
	case cohort.CatalogBrand:
		fields["name"] = i.Brand.Name
	case cohort.CatalogCategory:
		fields["parent_id"], fields["name"] = i.Category.ParentID, i.Category.Name
	case cohort.CatalogProduct:
		p := i.Product
		fields["name"], fields["type"], fields["sku"], fields["weight"], fields["price"] = p.Name, string(p.Type), p.SKU, p.Weight, p.Price
		fields["sale_price"], fields["retail_price"], fields["map_price"] = p.SalePrice, p.RetailPrice, p.MAPPrice
		fields["categories"] = p.Categories
		if f == catalogfile.CSV {
			fields["categories"] = strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Categories), " ", ";"), "[]")
		}
	case cohort.CatalogVariant:
		v := i.Variant
		fields["product_id"], fields["sku"], fields["price"], fields["sale_price"] = v.ProductID, v.SKU, v.Price.Decimal, v.SalePrice.Decimal
		fields["retail_price"], fields["map_price"] = v.RetailPrice.Decimal, v.MAPPrice.Decimal
		o := v.OptionValues[0]
		fields["option_values"] = []map[string]int64{{"option_id": o.OptionID, "id": o.ValueID}}
		if f == catalogfile.CSV {
			fields["option_values"] = fmt.Sprintf("%d:%d", o.OptionID, o.ValueID)
		}
	}
	return fields
}

var header = []string{"kind", "id", "parent_id", "name", "type", "sku", "weight", "price", "sale_price", "retail_price", "map_price", "categories", "product_id", "option_values"}

func write(t testing.TB, items []cohort.CatalogItem, f catalogfile.Format, separator rune) []byte {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = separator
	if f == catalogfile.CSV {
		_ = w.Write(header)
	}
	for _, i := range items {
		fields := fieldsOf(i, f)
		if f == catalogfile.JSONL {
			line, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
			continue
		}
		cells := make([]string, len(header))
		for j, name := range header {
			if v, ok := fields[name]; ok {
				cells[j] = fmt.Sprint(v)
			}
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return b.Bytes()
}

// Files written with encoding/csv and encoding/json are read back unchanged.
func TestRoundTrip(t *testing.T) {
	for _, f := range []catalogfile.Format{catalogfile.CSV, catalogfile.JSONL} {
		t.Run(string(f), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				want := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cohort.CatalogItem { return anyItem(t, f) }), 1, 5).Draw(rt, "items")
				file := write(t, want, f, rapid.SampledFrom([]rune{',', ';', '\t'}).Draw(rt, "separator"))
				got := readAll(t, bytes.NewReader(file), f, "")
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(cohort.CatalogItem{}, "Line")); diff != "" {
					rt.Fatalf("%s\n(-written +read):\n%s", file, diff)
				}
			})
		})
	}
}

// FuzzCSV: encoding/csv reads every accepted file, with the same cells.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"id,name\n1,x\n", "id;name;parent_id\r\n1;\"a;\"\"b\"\"\";2\r\n", "\ufeffid\tname\n1\t\"a\nb\"", "id,name\n1,\"x", "id,name\n1,a\"b\n2,\"a\"b\n",
		"id,name\n\n1,\xff\n2,\x00\n", "\xff\xfe", "id,name\n1,\"\"\n", "kind,id,name\ncategory,1,x\n",
		"id,name,description,custom_url,is_visible,views\n1,x,\"<b>\r\n\",\"{\"\"url\"\":\"\"/x/\"\"}\",TRUE,7\n2,y,,,,\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		items := readAll(t, bytes.NewReader(file), catalogfile.CSV, cohort.CatalogCategory)
		checkItems(t, file, items)
		for _, i := range items {
			if i.Err != nil {
				return
			}
		}
		text := strings.TrimPrefix(string(file), "\ufeff")
		standard := csv.NewReader(strings.NewReader(text))
		first, _, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
		for _, separator := range ",;\t" {
			if strings.ContainsRune(first, separator) {
				standard.Comma = separator
			}
		}
		records, err := standard.ReadAll()
		if err != nil || len(records) != len(items)+1 {
			t.Fatalf("%q: %d items, but %d records (%v)", file, len(items), len(records)-1, err)
		}
		for n, item := range items {
			for column, name := range records[0] {
				if strings.EqualFold(strings.TrimSpace(name), "name") && records[n+1][column] != strings.ReplaceAll(item.Category.Name, "\r\n", "\n") {
					t.Errorf("%q: name %q, want %q", file, item.Category.Name, records[n+1][column])
				}
			}
		}
	})
}

// FuzzJSONL: every accepted line is valid for encoding/json.
func FuzzJSONL(f *testing.F) {
	for _, s := range []string{
		`{"kind":"category","id":1,"name":"x"}`, `{"kind":"variant","id":"2","product_id":3,"option_values":[{"option_id":1,"id":2}],"price":null}` + "\n\n",
		`{"kind":"product","id":1,"name":"x","price":"1.5","bulk_pricing_rules":[{"quantity_min":2,"type":"fixed","amount":1}],"categories":[1]}`,
		`{"kind":"category","id":1,"name":"x","description":"<b>\u2028","meta_keywords":["a",""],"custom_url":{"url":"/x/"},"sort_order":"-7","is_visible":null}`,
		`{"kind":"variant","id":1,"product_id":2,"weight":null,"upc":"","cost_price":1.50}`,
		`[1]`, `{`, `{"id":1e5}`, "{\"\xff\":1}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		items := readAll(t, bytes.NewReader(file), catalogfile.JSONL, "")
		checkItems(t, file, items)
		lines := bytes.Split(bytes.TrimPrefix(file, []byte("\ufeff")), []byte("\n"))
		for _, i := range items {
			if i.Err == nil && !json.Valid(lines[i.Line-1]) {
				t.Errorf("%q: invalid line %d is accepted", file, i.Line)
			}
		}
	})
}

// checkItems checks the invariants of the items of any file.
func checkItems(t *testing.T, file []byte, items []cohort.CatalogItem) {
	t.Helper()
	last := int64(0)
	for _, i := range items {
		if i.Line < last || i.Line < 1 || i.Line > int64(bytes.Count(file, []byte("\n")))+1 {
			t.Fatalf("%q: line %d after %d", file, i.Line, last)
		}
		last = i.Line
		if i.Err != nil && (cohort.KindOf(i.Err) != cohort.KindInvalid || !utf8.ValidString(i.Err.Error())) {
			t.Fatalf("%q: error %q", file, i.Err)
		}
	}
	if len(items) == 0 {
		t.Fatalf("%q: no items", file)
	}
	checkWritten(t, items)
}

// checkWritten checks that valid items have one form in JSONL.
func checkWritten(t *testing.T, items []cohort.CatalogItem) {
	t.Helper()
	items = slices.DeleteFunc(slices.Clone(items), func(i cohort.CatalogItem) bool { return i.Err != nil })
	if len(items) == 0 {
		return
	}
	file := written(t, items, catalogfile.JSONL)
	if again := written(t, readAll(t, strings.NewReader(file), catalogfile.JSONL, ""), catalogfile.JSONL); again != file {
		t.Errorf("written %q, read and written %q", file, again)
	}
}

// endlessReader repeats a text forever. It fails the test if more than 2 MaxLine bytes are
// read.
type endlessReader struct {
	t    *testing.T
	text string
	read int
}

func (e *endlessReader) Read(p []byte) (n int, err error) {
	for n+len(e.text) <= len(p) {
		n += copy(p[n:], e.text)
	}
	if e.read += n; e.read > 2*catalogfile.MaxLine {
		e.t.Error("the reader does not stop reading")
		return 0, io.EOF
	}
	return n, nil
}

func TestEndlessLines(t *testing.T) {
	for _, c := range []struct {
		begin, endless string
		format         catalogfile.Format
	}{
		{"id,name\n1,\"", "x\n", catalogfile.CSV},
		{"id,name\n1,", "x", catalogfile.CSV},
		{"", "x", catalogfile.CSV},
		{"", "\x00", catalogfile.CSV},
		{`{"id":1,"name":"`, "x", catalogfile.JSONL},
	} {
		items := readAll(t, io.MultiReader(strings.NewReader(c.begin), &endlessReader{t: t, text: c.endless}), c.format, "category")
		if len(items) != 1 || items[0].Err == nil {
			t.Errorf("%q and then %q: %s", c.begin, c.endless, report(items))
		}
	}
}
