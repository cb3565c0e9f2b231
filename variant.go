package cohort

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// OptionValue is a value of a product option, such as a colour.
type OptionValue struct {
	OptionID int64
	ValueID  int64
}

// OptionLabel is what shoppers see of an option value: the name of the option and the
// label of the choice. Both are empty if the product has no such option or choice.
type OptionLabel struct{ Option, Choice string }

// Normalized returns the label in the form in which options and choices are stored.
func (l OptionLabel) Normalized() OptionLabel {
	return OptionLabel{strings.TrimSpace(l.Option), strings.TrimSpace(l.Choice)}
}

// Validate checks a normalized label. It returns a KindInvalid error that names the first
// invalid field.
func (l OptionLabel) Validate() error {
	if err := checkText("option_display_name", l.Option, 1, MaxOptionName); err != nil {
		return err
	}
	return checkText("label", l.Choice, 1, MaxChoiceName)
}

// Variant is a purchasable version of a product. For prices that are not Valid, those of
// the product apply.
type Variant struct {
	ID                                      int64
	ProductID                               int64
	SKU                                     string
	Price, SalePrice, RetailPrice, MAPPrice decimal.NullDecimal
	OptionValues                            []OptionValue // the base variant has none
	// Details are the fields in [VariantDetails]. Lists for prices leave them out.
	Details Details
}

// VariantUpdate is a partial update of a variant; nil fields are unchanged.
type VariantUpdate struct {
	SKU                                     *string
	Price, SalePrice, RetailPrice, MAPPrice *decimal.NullDecimal
	OptionValues                            *[]OptionValue // replaces the whole list
	// OptionLabels name those of the option values whose ids are 0, by index. It is nil if
	// all have ids.
	OptionLabels []OptionLabel
	Details      Details // the fields to change
}

// IsEmpty reports whether the update changes nothing.
func (u VariantUpdate) IsEmpty() bool {
	return u.SKU == nil && u.Price == nil && u.SalePrice == nil && u.RetailPrice == nil && u.MAPPrice == nil && u.OptionValues == nil &&
		len(u.Details) == 0
}

// Apply returns v with the update applied.
func (u VariantUpdate) Apply(v Variant) Variant {
	set(&v.SKU, u.SKU)
	set(&v.Price, u.Price)
	set(&v.SalePrice, u.SalePrice)
	set(&v.RetailPrice, u.RetailPrice)
	set(&v.MAPPrice, u.MAPPrice)
	set(&v.OptionValues, u.OptionValues)
	v.Details = v.Details.Merge(u.Details)
	return v
}

// Validate checks a variant that is not the base variant of its product. It returns a
// KindInvalid error that names the first invalid field. It does not check that the SKU
// and the option values are unique.
func (v Variant) Validate() error {
	for _, check := range []error{
		checkText("sku", v.SKU, 0, MaxSKU),
		checkOptionalPrice("price", v.Price),
		checkOptionalPrice("sale_price", v.SalePrice),
		checkOptionalPrice("retail_price", v.RetailPrice),
		checkOptionalPrice("map_price", v.MAPPrice),
		checkOptions(v.OptionValues),
	} {
		if check != nil {
			return check
		}
	}
	return nil
}

// ValidateBase is Validate for the base variant of a product, which has the product's
// prices and no option values.
func (v Variant) ValidateBase() error {
	for _, own := range []struct {
		field string
		price decimal.NullDecimal
	}{{"price", v.Price}, {"sale_price", v.SalePrice}, {"retail_price", v.RetailPrice}, {"map_price", v.MAPPrice}} {
		if own.price.Valid {
			return Invalid(own.field, "The base variant has the prices of its product; change them there.")
		}
	}
	if len(v.OptionValues) > 0 {
		return Invalid("option_values", "The base variant stands for the product as a whole and has no option values.")
	}
	return checkText("sku", v.SKU, 0, MaxSKU)
}

func checkOptions(values []OptionValue) error {
	switch {
	case len(values) == 0:
		return Invalid("option_values", "At least one option value is required.")
	case len(values) > MaxOptionValues:
		return Invalid("option_values", fmt.Sprintf("A variant has at most %d option values.", MaxOptionValues))
	}
	seen := make(map[int64]bool, len(values))
	for _, o := range values {
		if o.OptionID < 1 || o.ValueID < 1 {
			return Invalid("option_values", "Ids of options and of their values are positive integers.")
		}
		if seen[o.OptionID] {
			return Invalid("option_values", fmt.Sprintf("There must be at most one value of option %d.", o.OptionID))
		}
		seen[o.OptionID] = true
	}
	return nil
}

// SameOptions reports whether two variants have the same option values, in any order.
func (v Variant) SameOptions(o Variant) bool {
	return slices.Equal(sortedOptions(v.OptionValues), sortedOptions(o.OptionValues))
}

func sortedOptions(values []OptionValue) []OptionValue {
	return slices.SortedFunc(slices.Values(values), func(a, b OptionValue) int {
		return cmp.Or(cmp.Compare(a.OptionID, b.OptionID), cmp.Compare(a.ValueID, b.ValueID))
	})
}

// CalculatedPrice returns the catalog price of the variant of product p: the sale price if
// it is lower than the price, otherwise the price. It is not rounded.
func (v Variant) CalculatedPrice(p Product) decimal.Decimal {
	return catalogFigures(p, &v).base().Decimal
}

// VariantFilter selects variants; the zero value selects all of them.
type VariantFilter struct {
	IDs        []int64  // nil: all
	ProductIDs []int64  // nil: all
	SKUs       []string // nil: all
	UPC        *string  // nil: all; "": those without a UPC
}
