package client

import (
	"context"
	"net/http"
	"time"
)

// PriceExplanation says how the price of an item came about.
type PriceExplanation struct {
	ProductID       int64           `json:"product_id"`
	VariantID       int64           `json:"variant_id,omitempty"`
	Item            PriceItem       `json:"reference_request"`
	CalculatedPrice Amount          `json:"calculated_price"`
	Currency        string          `json:"currency"`
	Shopper         ResolvedShopper `json:"shopper"`
	// Candidates are all sources of a price that were considered, in their order.
	Candidates []PriceCandidate `json:"candidates"`
	// Modifiers are those that change the price.
	Modifiers []PriceModifier `json:"modifiers,omitempty"`
	// NotListed counts the candidates that lost and are left out, by source.
	NotListed map[string]int `json:"not_listed,omitempty"`
}

// ResolvedShopper is the shopper that the server identified, and why.
type ResolvedShopper struct {
	CustomerID int64  `json:"customer_id,omitempty"`
	GroupID    int64  `json:"customer_group_id"`
	GroupName  string `json:"customer_group_name,omitempty"`
	Reason     string `json:"reason"`
}

// PriceCandidate is a source of a price. Fields that it does not have are zero or absent.
type PriceCandidate struct {
	// Source is "price_list", "bulk_tier", "category_rule", "catalog" and the like.
	Source        string            `json:"source"`
	PriceListID   int64             `json:"price_list_id,omitempty"`
	PriceListName string            `json:"price_list_name,omitempty"`
	Rule          Opt[DiscountRule] `json:"rule,omitzero"`
	// Path has the categories through which a rule applies, from that of the product up.
	Path []CategoryStep `json:"path,omitempty"`
	Tier Opt[BulkTier]  `json:"tier,omitzero"`
	// Base is the price to which the discount is applied.
	Base Opt[Amount] `json:"base,omitzero"`
	// Gives is the resulting price, or null.
	Gives Opt[Amount] `json:"gives,omitzero"`
	Won   bool        `json:"won"`
	// Reason is a sentence for people.
	Reason string `json:"reason"`
}

// CategoryStep is a category on the way from a product to a rule.
type CategoryStep struct {
	CategoryID int64  `json:"category_id"`
	Name       string `json:"name"`
}

// PriceModifier is a value of a modifier in a price.
type PriceModifier struct {
	OptionID int64  `json:"option_id"`
	ValueID  int64  `json:"value_id"`
	Adjuster string `json:"adjuster"`
	Value    Amount `json:"adjuster_value"`
	// Adds is null for an amount in another currency, which adds nothing.
	Adds Opt[Amount] `json:"adds,omitzero"`
}

// ExplainOptions are those of [CohortService.ExplainPrices].
type ExplainOptions struct {
	// Full lists all candidates, for at most 5 items.
	Full bool
	// AsOf explains the prices of a time in the past; the zero time is now.
	AsOf time.Time
}

// ExplainPrices returns how the prices of the items come about, in their order.
func (s *CohortService) ExplainPrices(ctx context.Context, p PriceRequest, o ExplainOptions) ([]PriceExplanation, error) {
	q := asOfQuery(o.AsOf)
	if o.Full {
		q.Set("full", "true")
	}
	r := request{method: http.MethodPost, path: cohortPath + "/prices/explain", query: q, body: p, gate: gateExplain, reads: true}
	return getData[[]PriceExplanation](ctx, s.c, r)
}

// AccessRequest asks what a shopper may see: up to 500 products and 500 categories.
type AccessRequest struct {
	ChannelID int64 `json:"channel_id,omitempty"` // 0 is 1
	Shopper
	ProductIDs  []int64 `json:"product_ids,omitempty"`
	CategoryIDs []int64 `json:"category_ids,omitempty"`
}

// Access says what a shopper may see, in the order of the request.
type Access struct {
	Shopper    ResolvedShopper      `json:"shopper"`
	Products   []ProductAccess      `json:"products"`
	Categories []CategoryPermission `json:"categories"`
}

// ProductAccess says whether a shopper may see a product, and why.
type ProductAccess struct {
	ProductID int64  `json:"product_id"`
	Allowed   bool   `json:"allowed"`
	Reason    string `json:"reason"`
}

// CategoryPermission says whether a shopper may see a category, and why.
type CategoryPermission struct {
	CategoryID int64  `json:"category_id"`
	Allowed    bool   `json:"allowed"`
	Reason     string `json:"reason"`
}

// CheckAccess returns what a shopper may see.
func (s *CohortService) CheckAccess(ctx context.Context, a AccessRequest) (Access, error) {
	return getData[Access](ctx, s.c, request{method: http.MethodPost, path: cohortPath + "/access/check", body: a, reads: true})
}
