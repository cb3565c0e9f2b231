package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

// maxVariantsInCall is how many variants one request writes.
const maxVariantsInCall = 50

// Variant is a variant of a product: what has a SKU. The base variant of a product has no
// option values.
type Variant struct {
	ID        int64  `json:"id"`
	ProductID int64  `json:"product_id"`
	SKU       string `json:"sku"`
	// SKUID is null for a base variant.
	SKUID Opt[int64] `json:"sku_id,omitzero"`
	// A price, weight or size that is null is that of the product.
	Price                     Opt[Amount] `json:"price,omitzero"`
	CalculatedPrice           Opt[Amount] `json:"calculated_price,omitzero"`
	SalePrice                 Opt[Amount] `json:"sale_price,omitzero"`
	RetailPrice               Opt[Amount] `json:"retail_price,omitzero"`
	MAPPrice                  Opt[Amount] `json:"map_price,omitzero"`
	Weight                    Opt[Amount] `json:"weight,omitzero"`
	CalculatedWeight          Opt[Amount] `json:"calculated_weight,omitzero"`
	Width                     Opt[Amount] `json:"width,omitzero"`
	Height                    Opt[Amount] `json:"height,omitzero"`
	Depth                     Opt[Amount] `json:"depth,omitzero"`
	IsFreeShipping            bool        `json:"is_free_shipping"`
	FixedCostShippingPrice    Opt[Amount] `json:"fixed_cost_shipping_price,omitzero"`
	PurchasingDisabled        bool        `json:"purchasing_disabled"`
	PurchasingDisabledMessage string      `json:"purchasing_disabled_message"`
	ImageURL                  string      `json:"image_url"`
	CostPrice                 Opt[Amount] `json:"cost_price,omitzero"`
	UPC                       string      `json:"upc"`
	MPN                       string      `json:"mpn"`
	GTIN                      string      `json:"gtin"`
	InventoryLevel            Opt[int64]  `json:"inventory_level,omitzero"`
	InventoryWarningLevel     Opt[int64]  `json:"inventory_warning_level,omitzero"`
	BinPickingNumber          string      `json:"bin_picking_number"`
	// OptionValues has one value of each option of the product.
	OptionValues []VariantOption `json:"option_values"`
}

// VariantOption is the value that a variant has of an option. In a request it has both ids,
// or both texts. In a new product nothing has an id, so it has the texts.
type VariantOption struct {
	ID                int64  `json:"id,omitempty"` // of the value
	Label             string `json:"label,omitempty"`
	OptionID          int64  `json:"option_id,omitempty"`
	OptionDisplayName string `json:"option_display_name,omitempty"`
}

// VariantUpdate has the fields of a variant to set. A new variant needs OptionValues.
type VariantUpdate struct {
	SKU                       Opt[string]          `json:"sku,omitzero"`
	Price                     Opt[Amount]          `json:"price,omitzero"`
	SalePrice                 Opt[Amount]          `json:"sale_price,omitzero"`
	RetailPrice               Opt[Amount]          `json:"retail_price,omitzero"`
	MAPPrice                  Opt[Amount]          `json:"map_price,omitzero"`
	Weight                    Opt[Amount]          `json:"weight,omitzero"`
	Width                     Opt[Amount]          `json:"width,omitzero"`
	Height                    Opt[Amount]          `json:"height,omitzero"`
	Depth                     Opt[Amount]          `json:"depth,omitzero"`
	IsFreeShipping            Opt[bool]            `json:"is_free_shipping,omitzero"`
	FixedCostShippingPrice    Opt[Amount]          `json:"fixed_cost_shipping_price,omitzero"`
	PurchasingDisabled        Opt[bool]            `json:"purchasing_disabled,omitzero"`
	PurchasingDisabledMessage Opt[string]          `json:"purchasing_disabled_message,omitzero"`
	ImageURL                  Opt[string]          `json:"image_url,omitzero"`
	CostPrice                 Opt[Amount]          `json:"cost_price,omitzero"`
	UPC                       Opt[string]          `json:"upc,omitzero"`
	MPN                       Opt[string]          `json:"mpn,omitzero"`
	GTIN                      Opt[string]          `json:"gtin,omitzero"`
	InventoryLevel            Opt[int64]           `json:"inventory_level,omitzero"`
	InventoryWarningLevel     Opt[int64]           `json:"inventory_warning_level,omitzero"`
	BinPickingNumber          Opt[string]          `json:"bin_picking_number,omitzero"`
	OptionValues              Opt[[]VariantOption] `json:"option_values,omitzero"`
}

// VariantPut is a variant to change, by its ID, or a new one, which needs ProductID, SKU and
// OptionValues.
type VariantPut struct {
	ID        int64 `json:"id,omitempty"`
	ProductID int64 `json:"product_id,omitempty"`
	VariantUpdate
}

// VariantFilter selects variants. All fields that are set must match. An empty list does not
// filter.
type VariantFilter struct {
	IDs        []int64     `query:"id:in"`
	ProductIDs []int64     `query:"product_id:in"`
	SKU        Opt[string] `query:"sku"`
	SKUs       []string    `query:"sku:in"`
	UPC        Opt[string] `query:"upc"` // "" selects variants without one
	// Fields are the names of the fields to return besides the id; empty is all.
	Fields []string `query:"include_fields"`
	// ExcludeFields are the names of fields to leave out.
	ExcludeFields []string `query:"exclude_fields"`
}

// VariantFields says which fields of variants a list has.
type VariantFields struct {
	// Fields are the names of the fields to return besides the id; empty is all.
	Fields []string `query:"include_fields"`
	// ExcludeFields are the names of fields to leave out.
	ExcludeFields []string `query:"exclude_fields"`
}

// VariantService has the operations on variants, of V3.
type VariantService struct{ service }

const variantsPath = catalogPath + "/variants"

func variantsOf(product int64) string { return productPath(product) + "/variants" }

func variantPath(product, id int64) string { return fmt.Sprintf("%s/%d", variantsOf(product), id) }

func variantID(v Variant) int64 { return v.ID }

// List returns a page of the variants of all products.
func (s *VariantService) List(ctx context.Context, f VariantFilter, p Page) ([]Variant, error) {
	return pageOf[Variant](ctx, s.c, variantsPath, f, p)
}

// ListOf returns a page of the variants of a product.
func (s *VariantService) ListOf(ctx context.Context, product int64, f VariantFields, p Page) ([]Variant, error) {
	return pageOf[Variant](ctx, s.c, variantsOf(product), f, p)
}

// All yields all variants of all products that match. Pages are read by cursor.
func (s *VariantService) All(ctx context.Context, f VariantFilter) iter.Seq2[Variant, error] {
	return allOf(ctx, s.c, variantsPath, f, variantID)
}

// AllOf yields all variants of a product. Pages are read by cursor.
func (s *VariantService) AllOf(ctx context.Context, product int64, f VariantFields) iter.Seq2[Variant, error] {
	return allOf(ctx, s.c, variantsOf(product), f, variantID)
}

// Get returns a variant of a product.
func (s *VariantService) Get(ctx context.Context, product, id int64) (Variant, error) {
	return getData[Variant](ctx, s.c, request{method: http.MethodGet, path: variantPath(product, id)})
}

// Create creates a variant of a product. The SKU of another variant is an [ErrConflict].
func (s *VariantService) Create(ctx context.Context, product int64, u VariantUpdate) (Variant, error) {
	return getData[Variant](ctx, s.c, request{method: http.MethodPost, path: variantsOf(product), body: u, creates: true})
}

// Update changes a variant of a product and returns it. The SKU of another variant is an
// [ErrConflict].
func (s *VariantService) Update(ctx context.Context, product, id int64, u VariantUpdate) (Variant, error) {
	return getData[Variant](ctx, s.c, request{method: http.MethodPut, path: variantPath(product, id), body: u})
}

// Put changes or creates 1 to 50 variants of any products: all of them, or none with a
// [*BatchError]. Fewer variants in the response are an [ErrResponse].
func (s *VariantService) Put(ctx context.Context, variants []VariantPut) ([]Variant, error) {
	r := request{method: http.MethodPut, path: variantsPath, body: variants}
	return writeWhole[Variant](ctx, s.c, r, len(variants), maxVariantsInCall)
}

// PutAll changes or creates any number of variants, fifty in a request, and yields the outcome
// of each.
func (s *VariantService) PutAll(ctx context.Context, variants []VariantPut) iter.Seq[Result[Variant]] {
	return inBatches(ctx, variants, maxVariantsInCall, s.Put)
}

// Delete deletes a variant of a product with its price records. The base variant is an
// [ErrConflict].
func (s *VariantService) Delete(ctx context.Context, product, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: variantPath(product, id)})
}
