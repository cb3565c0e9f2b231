package client

import (
	"context"
	"net/http"
)

// PriceRequest asks for the prices of products for a shopper.
type PriceRequest struct {
	// ChannelID is 1 for the first storefront. It is required, as is CurrencyCode ("USD").
	ChannelID    int64  `json:"channel_id"`
	CurrencyCode string `json:"currency_code"`
	Shopper
	// Items are 1 to 500.
	Items []PriceItem `json:"items"`
}

// Shopper says who buys. GroupID comes before CustomerID; without both it is a guest.
type Shopper struct {
	CustomerID int64 `json:"customer_id,omitempty"`
	// GroupID is 0 for a shopper in no group, who is not a guest.
	GroupID Opt[int64] `json:"customer_group_id,omitzero"`
}

// PriceItem is a product, one of its variants, or the variant with some options.
type PriceItem struct {
	ProductID int64          `json:"product_id"`
	VariantID int64          `json:"variant_id,omitempty"`
	Options   []ChosenOption `json:"options,omitempty"`
}

// ChosenOption is a value of an option or of a modifier.
type ChosenOption struct {
	OptionID int64 `json:"option_id"`
	ValueID  int64 `json:"value_id"`
}

// Price is the price of an item. Figures that are not set are absent.
type Price struct {
	PriceItem
	// Item is the item as it was requested.
	Item            PriceItem       `json:"reference_request"`
	RetailPrice     Opt[Figure]     `json:"retail_price,omitzero"`
	SalePrice       Opt[Figure]     `json:"sale_price,omitzero"`
	MAPPrice        Opt[Figure]     `json:"minimum_advertised_price,omitzero"`
	Saved           Opt[Figure]     `json:"saved,omitzero"`
	Price           Opt[Figure]     `json:"price,omitzero"`
	CalculatedPrice Opt[Figure]     `json:"calculated_price,omitzero"`
	PriceRange      Opt[PriceRange] `json:"price_range,omitzero"`
	RetailRange     Opt[PriceRange] `json:"retail_price_range,omitzero"`
	BulkPricing     []BulkPricing   `json:"bulk_pricing"`
}

// Figure is an amount with and without taxes, in the currency of the request.
type Figure struct {
	AsEntered        Amount `json:"as_entered"`
	EnteredInclusive bool   `json:"entered_inclusive"`
	TaxExclusive     Amount `json:"tax_exclusive"`
	TaxInclusive     Amount `json:"tax_inclusive"`
}

// PriceRange has the lowest and the highest price of the variants of a product.
type PriceRange struct {
	Minimum Figure `json:"minimum"`
	Maximum Figure `json:"maximum"`
}

// BulkPricing is a price from some quantity on.
type BulkPricing struct {
	Minimum int64 `json:"minimum"`
	Maximum int64 `json:"maximum"` // 0: no upper limit
	// DiscountType is "percent", "price" or "fixed".
	DiscountType      string   `json:"discount_type"`
	DiscountAmount    Amount   `json:"discount_amount"`
	TaxDiscountAmount []Figure `json:"tax_discount_amount"`
}

// PriceService computes prices, over V3.
type PriceService struct{ service }

// Get returns the prices of the items, in their order. It changes nothing, and is repeated
// like a GET.
func (s *PriceService) Get(ctx context.Context, p PriceRequest) ([]Price, error) {
	r := request{method: http.MethodPost, path: "/v3/pricing/products", body: p, gate: gatePrices, reads: true}
	return getData[[]Price](ctx, s.c, r)
}
