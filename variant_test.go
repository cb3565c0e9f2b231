package cohort_test

import (
	"encoding/json"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestVariantValidate(t *testing.T) {
	red := []cohort.OptionValue{{OptionID: 1, ValueID: 11}}
	fine := decimal.NewNullDecimal(amountOf("1.00001"))
	many := make([]cohort.OptionValue, cohort.MaxOptionValues+1)
	for i := range many {
		many[i] = cohort.OptionValue{OptionID: int64(i + 1), ValueID: 1}
	}
	tests := []struct {
		name    string
		variant cohort.Variant
		field   string // "": valid
	}{
		{"red", cohort.Variant{OptionValues: red}, ""},
		{"the most options", cohort.Variant{OptionValues: many[1:]}, ""},
		{"more options", cohort.Variant{OptionValues: many}, "option_values"},
		{"no options", cohort.Variant{}, "option_values"},
		{"option 0", cohort.Variant{OptionValues: []cohort.OptionValue{{ValueID: 1}}}, "option_values"},
		{"value 0", cohort.Variant{OptionValues: []cohort.OptionValue{{OptionID: 1}}}, "option_values"},
		{"two values of an option", cohort.Variant{OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 1}, {OptionID: 1, ValueID: 2}}}, "option_values"},
		{"zero character", cohort.Variant{OptionValues: red, SKU: "\x00"}, "sku"},
		{"price", cohort.Variant{OptionValues: red, Price: fine}, "price"},
		{"sale price", cohort.Variant{OptionValues: red, SalePrice: fine}, "sale_price"},
		{"retail price", cohort.Variant{OptionValues: red, RetailPrice: fine}, "retail_price"},
		{"MAP", cohort.Variant{OptionValues: red, MAPPrice: fine}, "map_price"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFault(t, tt.variant.Validate(), tt.field) })
	}
}

func TestBaseVariantValidate(t *testing.T) {
	free := decimal.NewNullDecimal(decimal.Zero)
	for field, v := range map[string]cohort.Variant{
		"":              {SKU: "B-1"},
		"sku":           {SKU: "\x00"},
		"price":         {Price: free},
		"sale_price":    {SalePrice: free},
		"retail_price":  {RetailPrice: free},
		"map_price":     {MAPPrice: free},
		"option_values": {OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 11}}},
	} {
		wantFault(t, v.ValidateBase(), field)
	}
}

func TestVariantUpdateApplies(t *testing.T) {
	before := cohort.Variant{ID: 7, ProductID: 8, SKU: "B", Price: decimal.NewNullDecimal(amountOf("1"))}
	if diff := cmp.Diff(before, cohort.VariantUpdate{}.Apply(before)); diff != "" {
		t.Errorf("an empty update changes it (-before +after):\n%s", diff)
	}
	price := func(s string) *decimal.NullDecimal { return new(decimal.NewNullDecimal(amountOf(s))) }
	red := []cohort.OptionValue{{OptionID: 1, ValueID: 11}}
	all := cohort.VariantUpdate{
		SKU: new("C"), Price: &decimal.NullDecimal{}, SalePrice: price("2"), RetailPrice: price("3"), MAPPrice: price("4"), OptionValues: &red,
		Details: cohort.Details{"upc": json.RawMessage(`"1"`)},
	}
	before.Details = cohort.Details{"upc": json.RawMessage("null"), "weight": json.RawMessage("2")}
	want := cohort.Variant{ID: 7, ProductID: 8, SKU: "C", SalePrice: *price("2"), RetailPrice: *price("3"), MAPPrice: *price("4"), OptionValues: red}
	want.Details = cohort.Details{"upc": json.RawMessage(`"1"`), "weight": json.RawMessage("2")}
	if diff := cmp.Diff(want, all.Apply(before)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func genOptions(t *rapid.T, name string) []cohort.OptionValue {
	value := rapid.Custom(func(t *rapid.T) cohort.OptionValue {
		return cohort.OptionValue{OptionID: rapid.Int64Range(1, 3).Draw(t, "option"), ValueID: rapid.Int64Range(1, 3).Draw(t, "value")}
	})
	return rapid.SliceOfNDistinct(value, 1, 3, func(o cohort.OptionValue) int64 { return o.OptionID }).Draw(t, name)
}

// Option values are compared as sets.
func TestSameOptions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genOptions(t, "a"), genOptions(t, "b")
		set := func(values []cohort.OptionValue) map[cohort.OptionValue]bool {
			all := map[cohort.OptionValue]bool{}
			for _, v := range values {
				all[v] = true
			}
			return all
		}
		same := cmp.Equal(set(a), set(b))
		if got := (cohort.Variant{OptionValues: a}).SameOptions(cohort.Variant{OptionValues: b}); got != same {
			t.Fatalf("SameOptions(%v, %v) = %v", a, b, got)
		}
		shuffled := rapid.Permutation(a).Draw(t, "shuffled")
		if !(cohort.Variant{OptionValues: a}).SameOptions(cohort.Variant{OptionValues: shuffled}) {
			t.Fatalf("SameOptions(%v, %v) = false, want true", a, shuffled)
		}
	})
}

// Every field of Details refuses values out of its bounds and of other types.
func TestVariantDetailBounds(t *testing.T) {
	price, size, stock := "99999999999999.1", "9999999999.1", "2147483648"
	wrong := map[string][]string{
		"weight":                      {"-0.1", price, `"x"`},
		"width":                       {"-1", size, "true"},
		"height":                      {"-1", size, "[]"},
		"depth":                       {"-1", size, "{}"},
		"is_free_shipping":            {"null", "1", `"true"`},
		"fixed_cost_shipping_price":   {"-1", price},
		"purchasing_disabled":         {"null", `"no"`},
		"purchasing_disabled_message": {"null", long(256), "1"},
		"image_url":                   {"null", long(2049), "1"},
		"cost_price":                  {"-1", price},
		"upc":                         {long(15), "1"},
		"mpn":                         {long(256), "1"},
		"gtin":                        {long(15), "1"},
		"inventory_level":             {"-1", stock, "1.5"},
		"inventory_warning_level":     {"-1", stock, "1.5"},
		"bin_picking_number":          {long(256), "1"},
	}
	right := map[string][]string{
		"weight": {"null", "0", "99999999999999"}, "width": {"null", "9999999999"}, "upc": {"null", long(14), `""`},
		"inventory_level": {"null", "0", "2147483647"}, "purchasing_disabled_message": {long(255)}, "image_url": {long(2048)},
	}
	for _, field := range cohort.VariantDetails {
		if wrong[field.Name] == nil {
			t.Errorf("field %s is not tested", field.Name)
		}
		for _, value := range wrong[field.Name] {
			if got, err := field.Parse(json.RawMessage(value)); cohort.KindOf(err) != cohort.KindInvalid || err == nil {
				t.Errorf("%s: %.20s is %s, %v", field.Name, value, got, err)
			}
		}
		for _, value := range right[field.Name] {
			if got, err := field.Parse(json.RawMessage(value)); string(got) != value || err != nil {
				t.Errorf("%s: %.20s is %s, %v", field.Name, value, got, err)
			}
		}
		if field.Default != "null" {
			if _, err := field.Parse(json.RawMessage(field.Default)); err != nil {
				t.Errorf("the default of %s: %v", field.Name, err)
			}
		}
	}
}

// long returns a JSON string of n characters.
func long(n int) string { return `"` + strings.Repeat("é", n) + `"` }
