package cohort

import (
	"math"
	"strconv"
)

// ProductDetails are the fields of a product's Details, at the end ProductParts. Source: the
// vendor's reference.
var ProductDetails = append([]DetailField{
	{Name: "description", Kind: DetailText, Default: `""`},
	dimension("width"),
	dimension("depth"),
	dimension("height"),
	{Name: "cost_price", Kind: DetailNumber, Max: 99_999_999_999_999, Default: "0"},
	{Name: "tax_class_id", Kind: DetailInteger, Max: 255, Default: "0"},
	{Name: "product_tax_code", Kind: DetailText, Max: 255, Default: `""`},
	{Name: "inventory_level", Kind: DetailInteger, Max: math.MaxInt32, Default: "0"},
	{Name: "inventory_warning_level", Kind: DetailInteger, Max: math.MaxInt32, Default: "0"},
	{Name: "inventory_tracking", Kind: DetailText, Choices: []string{"none", "product", "variant"}, Default: `"none"`},
	{Name: "fixed_cost_shipping_price", Kind: DetailNumber, Max: 99_999_999_999_999, Default: "0"},
	{Name: "is_free_shipping", Kind: DetailBoolean, Default: "false"},
	{Name: "is_visible", Kind: DetailBoolean, Default: "true"},
	{Name: "is_featured", Kind: DetailBoolean, Default: "false"},
	{Name: "related_products", Kind: DetailArray, Max: 1000, Element: &DetailField{Kind: DetailInteger, Min: -1, Max: math.MaxInt64}, Default: "[-1]"},
	{Name: "warranty", Kind: DetailText, Default: `""`},
	{Name: "bin_picking_number", Kind: DetailText, Max: 255, Default: `""`},
	{Name: "layout_file", Kind: DetailText, Max: 500, Default: `"product.html"`},
	{Name: "upc", Kind: DetailText, Max: 14, Default: `""`},
	{Name: "mpn", Kind: DetailText, Max: 255, Default: `""`},
	{Name: "gtin", Kind: DetailText, Max: 14, Default: `""`},
	{Name: "search_keywords", Kind: DetailText, Default: `""`},
	{Name: "availability", Kind: DetailText, Choices: []string{"available", "disabled", "preorder"}, Default: `"available"`},
	{Name: "availability_description", Kind: DetailText, Max: 255, Default: `""`},
	{Name: "gift_wrapping_options_type", Kind: DetailText, Choices: []string{"any", "none", "list"}, Default: `"any"`},
	{Name: "gift_wrapping_options_list", Kind: DetailArray, Max: 1000, Element: &DetailField{Kind: DetailInteger, Min: 1, Max: math.MaxInt64}, Default: "[]"},
	sortOrder(),
	{Name: "condition", Kind: DetailText, Choices: []string{"New", "Used", "Refurbished"}, Default: `"New"`},
	{Name: "is_condition_shown", Kind: DetailBoolean, Default: "false"},
	{Name: "order_quantity_minimum", Kind: DetailInteger, Max: 1_000_000_000, Default: "0"},
	{Name: "order_quantity_maximum", Kind: DetailInteger, Max: 1_000_000_000, Default: "0"},
	{Name: "page_title", Kind: DetailText, Max: 255, Default: `""`},
	metaKeywords,
	{Name: "meta_description", Kind: DetailText, Default: `""`},
	{Name: "view_count", Kind: DetailInteger, Max: 1_000_000_000, Default: "0"},
	{Name: "preorder_release_date", Kind: DetailTime, Nullable: true, Default: "null"},
	{Name: "preorder_message", Kind: DetailText, Max: 255, Default: `""`},
	{Name: "is_preorder_only", Kind: DetailBoolean, Default: "false"},
	{Name: "is_price_hidden", Kind: DetailBoolean, Default: "false"},
	{Name: "price_hidden_label", Kind: DetailText, Max: 200, Default: `""`},
	{Name: "custom_url", Kind: DetailObject, Fields: append(customURL(255).Fields, DetailField{Name: "create_redirect", Kind: DetailBoolean})},
	{Name: "open_graph_type", Kind: DetailText, Default: `"product"`, Choices: []string{
		"product", "album", "book", "drink", "food", "game", "movie", "song", "tv_show",
	}},
	{Name: "open_graph_title", Kind: DetailText, Default: `""`},
	{Name: "open_graph_description", Kind: DetailText, Default: `""`},
	{Name: "open_graph_use_meta_description", Kind: DetailBoolean, Default: "true"},
	{Name: "open_graph_use_product_name", Kind: DetailBoolean, Default: "true"},
	{Name: "open_graph_use_image", Kind: DetailBoolean, Default: "true"},
}, partFields()...)

func dimension(name string) DetailField {
	return DetailField{Name: name, Kind: DetailNumber, Max: 9_999_999_999, Default: "0"}
}

// ProductSort is what a list of products is sorted by.
type ProductSort string

// The orders of a list of products.
const (
	SortProductsByID           ProductSort = "id"
	SortProductsByName         ProductSort = "name" // the letters A to Z count as a to z
	SortProductsBySKU          ProductSort = "sku"
	SortProductsByPrice        ProductSort = "price"
	SortProductsByCalculated   ProductSort = "calculated_price"
	SortProductsByDateModified ProductSort = "date_modified"
	SortProductsByInventory    ProductSort = "inventory_level"
	SortProductsByVisibility   ProductSort = "is_visible" // hidden ones first
	// All products have the same number of sales and no date of import, so these orders are
	// by id.
	SortProductsBySales  ProductSort = "total_sold"
	SortProductsByImport ProductSort = "date_last_imported"
)

// ProductOrder is the order of a list of products; the zero value is by id.
type ProductOrder struct {
	By         ProductSort
	Descending bool
}

// ByDetail reports whether the products are sorted by a field of their Details.
func (o ProductOrder) ByDetail() bool {
	return o.By == SortProductsByInventory || o.By == SortProductsByVisibility
}

// Key returns the cursor of a product in this order; see [Page].
func (o ProductOrder) Key(p Product) string {
	id := strconv.FormatInt(p.ID, 10)
	switch o.By {
	case SortProductsByName:
		return FoldASCII(p.Name) + "/" + id
	case SortProductsBySKU:
		return p.SKU + "/" + id
	case SortProductsByPrice:
		return p.Price.Shift(AmountScale).String() + "/" + id
	case SortProductsByCalculated:
		return p.CalculatedPrice().Shift(AmountScale).String() + "/" + id
	case SortProductsByDateModified:
		return strconv.FormatInt(p.DateModified.UnixMilli(), 10) + "/" + id
	case SortProductsByInventory:
		return strconv.FormatInt(p.Details.Integer("inventory_level", 0), 10) + "/" + id
	case SortProductsByVisibility:
		if p.Details.Bool("is_visible", true) {
			return "1/" + id
		}
		return "0/" + id
	}
	return id
}
