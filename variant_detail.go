package cohort

import "math"

// VariantDetails are the fields of a variant's Details. A weight or a size that is null is
// that of the product. Source: the vendor's reference, except for the greatest numbers, the
// length of an MPN and the fact that stock is not negative, which are those of products.
var VariantDetails = []DetailField{
	nullableNumber("weight", 99_999_999_999_999),
	nullableNumber("width", 9_999_999_999),
	nullableNumber("height", 9_999_999_999),
	nullableNumber("depth", 9_999_999_999),
	{Name: "is_free_shipping", Kind: DetailBoolean, Default: "false"},
	nullableNumber("fixed_cost_shipping_price", 99_999_999_999_999),
	{Name: "purchasing_disabled", Kind: DetailBoolean, Default: "false"},
	{Name: "purchasing_disabled_message", Kind: DetailText, Max: 255, Default: `""`},
	imageURL,
	{Name: "cost_price", Kind: DetailNumber, Max: 99_999_999_999_999, Nullable: true, Default: "0"},
	{Name: "upc", Kind: DetailText, Max: 14, Nullable: true, Default: `""`},
	{Name: "mpn", Kind: DetailText, Max: 255, Nullable: true, Default: `""`},
	{Name: "gtin", Kind: DetailText, Max: 14, Nullable: true, Default: `""`},
	{Name: "inventory_level", Kind: DetailInteger, Max: math.MaxInt32, Nullable: true, Default: "0"},
	{Name: "inventory_warning_level", Kind: DetailInteger, Max: math.MaxInt32, Nullable: true, Default: "0"},
	{Name: "bin_picking_number", Kind: DetailText, Max: 255, Nullable: true, Default: `""`},
}

func nullableNumber(name string, most int64) DetailField {
	return DetailField{Name: name, Kind: DetailNumber, Max: most, Nullable: true, Default: "null"}
}
