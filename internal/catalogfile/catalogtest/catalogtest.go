// Package catalogtest draws catalogs for tests of imports and exports.
package catalogtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/catalogfile"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// text draws texts with everything that a format of files may have to escape.
var text = rapid.StringOfN(rapid.SampledFrom([]rune("ab \t\n\r,;:\"'\\<>&=/{}[]é日\u2028\U0001F600\u007f\u0001")), 0, 12, -1)

var id = rapid.Int64Range(1, cohort.MaxCatalogID)

// Catalog draws a catalog that a format can represent, in the order and form of an export:
// brands, categories, products of them, and variants, among them the base variants.
func Catalog(t *rapid.T, f catalogfile.Format) (items []cohort.CatalogItem) {
	for n := range rapid.Int64Range(0, 3).Draw(t, "brands") {
		b := cohort.Brand{Name: name(t, n, cohort.MaxBrandName), Details: details(t, cohort.BrandDetails, f)}
		items = append(items, cohort.CatalogItem{Kind: cohort.CatalogBrand, ID: n + 1, Brand: b.Normalized()})
	}
	brands := int64(len(items))
	for n := range rapid.Int64Range(0, 3).Draw(t, "categories") {
		c := cohort.Category{Name: name(t, n, cohort.MaxCategoryName), Details: details(t, cohort.CategoryDetails, f)}
		c.ParentID = rapid.Int64Range(0, n).Draw(t, "parent")
		items = append(items, cohort.CatalogItem{Kind: cohort.CatalogCategory, ID: n + 1, Category: c.Normalized()})
	}
	categories := int64(len(items)) - brands
	var variants []cohort.CatalogItem
	for n := range rapid.Int64Range(1, 3).Draw(t, "products") {
		p := product(t, f, n, categories, brands)
		items = append(items, cohort.CatalogItem{Kind: cohort.CatalogProduct, ID: n + 1, Product: p})
		base := cohort.Variant{ProductID: n + 1, SKU: p.SKU, Details: details(t, cohort.VariantDetails, f)}
		variants = append(variants, cohort.CatalogItem{Kind: cohort.CatalogVariant, ID: 10*n + 1, Variant: base})
		for k := range rapid.Int64Range(0, 2).Draw(t, "variants") {
			variants = append(variants, cohort.CatalogItem{Kind: cohort.CatalogVariant, ID: 10*n + 2 + k, Variant: variant(t, f, n, k)})
		}
	}
	items = append(items, variants...)
	for i := range items {
		items[i].ReplaceDetails = true
	}
	return items
}

// name draws a name that is unique by its number.
func name(t *rapid.T, n int64, most int) string {
	s := strings.TrimSpace(fmt.Sprint(n, text.Draw(t, "name")))
	return s[:min(len(s), most)]
}

func amount(t *rapid.T, label string) decimal.Decimal {
	return decimal.New(rapid.Int64Range(0, 1e15).Draw(t, label), -4)
}

func product(t *rapid.T, f catalogfile.Format, n, categories, brands int64) cohort.Product {
	p := cohort.Product{
		Name: name(t, n, cohort.MaxProductName), Type: rapid.SampledFrom([]cohort.ProductType{"physical", "digital"}).Draw(t, "type"),
		Weight: amount(t, "weight"), Price: amount(t, "price"), SalePrice: amount(t, "sale"), RetailPrice: amount(t, "retail"), MAPPrice: amount(t, "map"),
		BrandID: rapid.Int64Range(0, brands).Draw(t, "brand"), Details: withParts(t, n, details(t, cohort.ProductDetails, f)),
	}
	if rapid.Bool().Draw(t, "has SKU") {
		p.SKU = fmt.Sprint("P", n, text.Draw(t, "sku"))
	}
	if categories > 0 {
		p.Categories = rapid.SliceOfNDistinct(rapid.Int64Range(1, categories), 0, 3, rapid.ID[int64]).Draw(t, "categories")
	}
	if rapid.Bool().Draw(t, "has tiers") {
		p.BulkTiers = []cohort.BulkTier{
			{QuantityMin: 2, QuantityMax: 9, Method: cohort.MethodPercent, Amount: decimal.RequireFromString("7.5")},
			{QuantityMin: 10, Method: cohort.MethodFixed, Amount: decimal.NewFromInt(1)},
		}
	}
	return p.Normalized()
}

func variant(t *rapid.T, f catalogfile.Format, n, k int64) cohort.Variant {
	v := cohort.Variant{ProductID: n + 1, Details: details(t, cohort.VariantDetails, f)}
	if rapid.Bool().Draw(t, "has SKU") {
		v.SKU = fmt.Sprint("V", n, k, text.Draw(t, "sku"))
	}
	for _, price := range []*decimal.NullDecimal{&v.Price, &v.SalePrice, &v.RetailPrice, &v.MAPPrice} {
		if rapid.Bool().Draw(t, "has price") {
			*price = decimal.NewNullDecimal(amount(t, "price"))
		}
	}
	v.OptionValues = []cohort.OptionValue{{OptionID: 7, ValueID: k + 1}, {OptionID: 3, ValueID: id.Draw(t, "value")}}
	return v
}

// details draws values of some of the fields.
func details(t *rapid.T, fields []cohort.DetailField, f catalogfile.Format) cohort.Details {
	all := rapid.IntRange(0, 2).Draw(t, "how many") // none, some or all
	d := cohort.Details{}
	for _, field := range fields {
		if all == 0 || all == 1 && rapid.IntRange(0, 3).Draw(t, "has field") > 0 {
			continue
		}
		raw := value(t, field)
		if f == catalogfile.CSV && (raw == "null" || raw == `""`) {
			continue // an empty cell stands for a field that is not set
		}
		parsed, err := field.Parse(json.RawMessage(raw))
		if err != nil {
			t.Fatalf("%s: %s: %v", field.Name, raw, err)
		}
		d[field.Name] = parsed
	}
	if len(d) == 0 {
		return nil
	}
	return d
}

// withParts returns the details of product n with custom fields, images and videos as an
// export has them: with ids, each of them once.
func withParts(t *rapid.T, n int64, d cohort.Details) cohort.Details {
	for _, part := range cohort.ProductParts {
		if _, ok := d[part.Name]; !ok {
			continue
		}
		objects, err := part.Objects(d)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for i, object := range objects {
			keys := map[string]string{"name": `"n"`, "value": `"v` + fmt.Sprint(i) + `"`, "image_url": `"/i.png"`, "video_id": `"v"`, "id": fmt.Sprint(10*n + int64(i) + 1)}
			for _, field := range part.Element.Fields {
				if key, ok := keys[field.Name]; ok {
					object[field.Name] = json.RawMessage(key)
				}
			}
			b, _ := json.Marshal(object) // of valid JSON there is no error
			list = append(list, string(b))
		}
		d[part.Name], err = part.Parse(json.RawMessage("[" + strings.Join(list, ",") + "]"))
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// value draws a JSON value of a field.
func value(t *rapid.T, f cohort.DetailField) string {
	if f.Nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		return "null"
	}
	least, most := f.Min, f.Max
	switch f.Kind {
	case cohort.DetailText:
		if f.Choices != nil {
			return quote(rapid.SampledFrom(f.Choices).Draw(t, f.Name))
		}
		s := text.Filter(func(s string) bool { return int64(len([]rune(s))) >= least }).Draw(t, f.Name)
		if most > 0 {
			s = string([]rune(s)[:min(most, int64(len([]rune(s))))])
		}
		return quote(s)
	case cohort.DetailTime:
		return quote(time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, f.Name), 0).UTC().Format(time.RFC3339))
	case cohort.DetailBoolean:
		return fmt.Sprint(rapid.Bool().Draw(t, f.Name))
	case cohort.DetailInteger:
		if most == 0 {
			most = 1 << 40
		}
		return fmt.Sprint(rapid.Int64Range(least, most).Draw(t, f.Name))
	case cohort.DetailNumber:
		return decimal.New(rapid.Int64Range(least*100, most*100).Draw(t, f.Name), -2).String()
	case cohort.DetailArray:
		n := rapid.Int64Range(least, min(most, 3)).Draw(t, f.Name)
		elements := make([]string, n)
		for i := range elements {
			elements[i] = value(t, *f.Element)
		}
		return "[" + strings.Join(elements, ",") + "]"
	}
	return object(t, f)
}

func object(t *rapid.T, f cohort.DetailField) string {
	if f.Fields == nil {
		return rapid.SampledFrom([]string{"{}", `{"a":[1.0,{"<b>":null}],"":"\u0000"}`}).Draw(t, f.Name)
	}
	var members []string
	for _, field := range f.Fields {
		if !field.ReadOnly && (field.Required || rapid.Bool().Draw(t, "has "+field.Name)) {
			members = append(members, quote(field.Name)+":"+value(t, field))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string has no error
	return string(b)
}
