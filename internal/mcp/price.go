package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

const (
	// maxCompared bounds the products of one comparison.
	maxCompared = 10
	// maxConsidered is how many candidates of a price an answer lists.
	maxConsidered = 25
	// maxReason is how many runes of a text about a candidate an answer shows.
	maxReason = 200
)

func priceTools() []tool {
	return []tool{
		define(tool{
			name: "explain_price", title: "Explain a price", operations: []string{"explainPrices"},
			description: "What a customer, a member of a group or a guest pays for a product, and everything that was considered, with reasons. Use it for \"why does she pay this\".",
		}, (*caller).explainPrice),
		define(tool{
			name: "compare_prices", title: "Compare the prices of two groups", operations: []string{"getPrices"},
			description: "What members of two groups pay for up to ten products, and the difference.",
		}, (*caller).comparePrices),
	}
}

// placeInput is where and in which currency something is sold.
type placeInput struct {
	Channel  positive `json:"channel,omitempty" jsonschema:"id, 1 by default"`
	Currency string   `json:"currency,omitempty" jsonschema:"such as USD; that of the store by default"`
}

func (in placeInput) request() service.PriceRequest {
	return service.PriceRequest{ChannelID: int64(cmp.Or(in.Channel, cohort.FirstChannelID)), Currency: strings.ToUpper(in.Currency)}
}

type explainPriceInput struct {
	shopperInput
	Product ref      `json:"product,omitempty" jsonschema:"id or exact name"`
	SKU     string   `json:"sku,omitempty" jsonschema:"instead of product"`
	Variant positive `json:"variant,omitempty" jsonschema:"id"`
	placeInput
	Quantity positive `json:"quantity,omitempty"`
}

// explainedPrice is the answer of explain_price.
type explainedPrice struct {
	Product   productName  `json:"product"`
	VariantID int64        `json:"variant_id,omitempty"`
	For       string       `json:"for"`
	WhyGroup  string       `json:"why_group"`
	Price     string       `json:"price"` // of one piece
	DecidedBy string       `json:"decided_by"`
	Quantity  int64        `json:"quantity,omitempty"`
	Total     string       `json:"total,omitempty"` // of the quantity
	Variants  string       `json:"variants_cost,omitempty"`
	Modifiers int          `json:"modifiers,omitempty"`
	Considers []considered `json:"considered"`
	NotListed int          `json:"not_listed,omitempty"`
}

type productName struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	SKU  string `json:"sku,omitempty"`
}

type considered struct {
	What   string `json:"what"`
	Price  string `json:"price"`
	Won    bool   `json:"won,omitempty"`
	Reason string `json:"reason"`
}

func (c *caller) explainPrice(ctx context.Context, in explainPriceInput) (any, error) {
	r := in.request()
	var err error
	if r.ShopperQuery, err = c.shopper(ctx, in.shopperInput); err != nil {
		return nil, err
	}
	p, variant, err := c.askedProduct(ctx, in)
	if err != nil {
		return nil, err
	}
	r.Items = []service.PriceItem{{ProductID: p.ID, VariantID: variant}}
	e, err := c.Service.ExplainPrices(ctx, c.store.Key, r)
	if err != nil {
		return nil, itemError(err)
	}
	return newExplainedPrice(p, int64(in.Quantity), e), nil
}

// askedProduct returns the product of a question, and the variant; 0: the product as a whole.
func (c *caller) askedProduct(ctx context.Context, in explainPriceInput) (p cohort.Product, variant int64, err error) {
	if (in.Product != "") == (in.SKU != "") {
		return p, 0, cohort.Invalid("product", "give either product or sku")
	}
	if in.SKU != "" {
		p, variant, err = c.productBySKU(ctx, in.SKU)
	} else {
		p, err = c.product(ctx, "product", in.Product)
	}
	return p, cmp.Or(int64(in.Variant), variant), err
}

// itemError returns the error of the first item instead of that of all.
func itemError(err error) error {
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		return items.Unwrap()[0]
	}
	return err
}

func newExplainedPrice(p cohort.Product, quantity int64, e service.PriceExplanation) explainedPrice {
	price := e.Items[0]
	a := explainedPrice{
		Product: productName{p.ID, clip(p.Name, maxShown), clip(p.SKU, maxShown)}, VariantID: price.VariantID,
		For: e.Shopper.String(), WhyGroup: e.Shopper.Reason, Quantity: quantity, Modifiers: len(price.Modifiers), Considers: []considered{},
	}
	each := price.Calculated
	for i, candidate := range price.Candidates {
		text := clip(e.CandidateText(candidate), maxReason)
		switch {
		case candidate.Won:
			a.DecidedBy = text
		case candidate.Source == cohort.SourceBulkTier && candidate.Gives.Valid && candidate.Tier.Covers(max(quantity, 1)):
			each = candidate.Gives
			a.DecidedBy += ", then the " + text
		}
		if i < maxConsidered {
			a.Considers = append(a.Considers, considered{text, service.MoneyText(candidate.Gives, e.Currency), candidate.Won, clip(candidate.Reason, maxReason)})
		}
	}
	a.NotListed = len(price.Candidates) - len(a.Considers)
	for _, n := range price.NotListed {
		a.NotListed += n
	}
	a.Price = service.MoneyText(each, e.Currency)
	if quantity > 1 {
		a.Total = service.MoneyText(decimal.NewNullDecimal(each.Decimal.Mul(decimal.NewFromInt(quantity))), e.Currency)
	}
	if r := price.PriceRange; r != nil {
		a.Variants = fmt.Sprintf("%s to %s", r.Min.StringFixed(e.Currency.Decimals), r.Max.StringFixed(e.Currency.Decimals))
	}
	return a
}

type comparePricesInput struct {
	Products []ref `json:"products" jsonschema:"ids or exact names, at most 10"`
	GroupA   ref   `json:"group_a" jsonschema:"id or exact name, 0 for no group"`
	GroupB   ref   `json:"group_b"`
	placeInput
}

// comparison is the answer of compare_prices.
type comparison struct {
	GroupA   comparedGroup   `json:"group_a"`
	GroupB   comparedGroup   `json:"group_b"`
	Products []comparedPrice `json:"products"`
}

type comparedGroup struct {
	ID   int64  `json:"id"`
	Name string `json:"name,omitempty"`
}

// comparedPrice has amounts in the currency that was asked for.
type comparedPrice struct {
	productName
	PriceA     string `json:"price_a"`
	PriceB     string `json:"price_b"`
	Difference string `json:"b_minus_a"`
}

func (c *caller) comparePrices(ctx context.Context, in comparePricesInput) (any, error) {
	if len(in.Products) == 0 || len(in.Products) > maxCompared {
		return nil, cohort.Invalid("products", fmt.Sprintf("give 1 to %d products", maxCompared))
	}
	a, err := c.groupOrNone(ctx, "group_a", in.GroupA)
	if err != nil {
		return nil, err
	}
	b, err := c.groupOrNone(ctx, "group_b", in.GroupB)
	if err != nil {
		return nil, err
	}
	r := in.request()
	answer := comparison{GroupA: comparedGroup{a.ID, clip(a.Name, maxShown)}, GroupB: comparedGroup{b.ID, clip(b.Name, maxShown)}}
	for _, product := range in.Products {
		p, err := c.product(ctx, "products", product)
		if err != nil {
			return nil, err
		}
		r.Items = append(r.Items, service.PriceItem{ProductID: p.ID})
		answer.Products = append(answer.Products, comparedPrice{productName: productName{p.ID, clip(p.Name, maxShown), ""}})
	}
	r.GroupID = &a.ID
	ofA, err := c.Service.Prices(ctx, c.store.Key, r)
	if err != nil {
		return nil, itemError(err)
	}
	r.GroupID = &b.ID
	ofB, err := c.Service.Prices(ctx, c.store.Key, r)
	if err != nil {
		return nil, itemError(err)
	}
	for i := range answer.Products {
		p, priceA, priceB := &answer.Products[i], ofA[i].Calculated.Decimal, ofB[i].Calculated.Decimal
		p.PriceA, p.PriceB, p.Difference = priceA.String(), priceB.String(), priceB.Sub(priceA).String()
	}
	return answer, nil
}
