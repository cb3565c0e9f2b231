package console

import (
	"fmt"
	"net/url"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// priceStep is a candidate of a price, as it is drawn.
type priceStep struct {
	Text   string
	Path   string // the page of the price list or of the group; "": none
	Gives  string // "-": nothing
	Bar    string // the width of its bar, from 0 to 100
	Won    bool
	Reason string
	Chosen bool // a bulk tier that is for the quantity
}

// priceSteps returns the candidates in the order in which they were considered, and the bulk
// tiers apart from them: these change the price of the winner.
func (c *call) priceSteps(q priceQuestion, e service.PriceExplanation) (steps, tiers []priceStep) {
	price := e.Items[0]
	highest := decimal.Zero
	for _, x := range price.Candidates {
		highest = decimal.Max(highest, x.Gives.Decimal)
	}
	for _, x := range price.Candidates {
		step := priceStep{
			Text: stepText(e, price, x), Path: c.candidatePath(e.Shopper, x), Gives: service.MoneyText(x.Gives, e.Currency),
			Bar: barWidth(x.Gives.Decimal, highest), Won: x.Won, Reason: x.Reason,
		}
		if x.Source == cohort.SourceBulkTier {
			step.Chosen = x.Gives.Valid && x.Tier.Covers(q.quantity)
			tiers = append(tiers, step)
			continue
		}
		steps = append(steps, step)
	}
	return steps, tiers
}

// stepText says what a candidate is. The catalog and the winning price list have two figures
// if a sale price is in force.
func stepText(e service.PriceExplanation, price service.ItemPrice, x cohort.PriceCandidate) string {
	text := e.CandidateText(x)
	if x.Source == cohort.SourceBulkTier {
		return text + ", " + tierQuantity(x.Tier)
	}
	// The figures of the price are those of the list that won, and otherwise of the catalog.
	ofWinner := x.Won || x.Source == cohort.SourceCatalog && !listWon(price)
	if ofWinner && price.SalePrice.Valid && price.Price.Price.Valid && price.SalePrice.Decimal.LessThan(price.Price.Price.Decimal) && !isRule(x.Source) {
		return fmt.Sprintf("%s: sale price %s instead of %s", text, price.SalePrice.Decimal, price.Price.Price.Decimal)
	}
	return text
}

func isRule(s cohort.PriceSource) bool {
	return s == cohort.SourceProductRule || s == cohort.SourceCategoryRule || s == cohort.SourceSitewideRule
}

// listWon reports whether a price list gives a price.
func listWon(price service.ItemPrice) bool {
	for _, x := range price.Candidates {
		if x.Won {
			return x.List.ID != 0
		}
	}
	return false
}

func tierQuantity(t cohort.BulkTier) string {
	switch t.QuantityMax {
	case 0:
		return fmt.Sprintf("from %d pieces", t.QuantityMin)
	case t.QuantityMin:
		return fmt.Sprintf("for %d pieces", t.QuantityMin)
	}
	return fmt.Sprintf("from %d to %d pieces", t.QuantityMin, t.QuantityMax)
}

// candidatePath returns the page on which a candidate can be changed; "": there is none.
func (c *call) candidatePath(s service.Shopper, x cohort.PriceCandidate) string {
	switch {
	case x.List.Known:
		return c.path("pricelists", strconv.FormatInt(x.List.ID, 10))
	case isRule(x.Source) && s.Group != nil:
		return c.path("groups", strconv.FormatInt(s.Group.ID, 10))
	}
	return ""
}

// barWidth returns the width of a bar, of 100.
func barWidth(value, highest decimal.Decimal) string {
	if !highest.IsPositive() {
		return "0"
	}
	return value.Shift(2).Div(highest).Round(1).String()
}

// variantPrice is the price of a variant in the list of a product.
type variantPrice struct {
	ID    int64
	Name  string
	Price string
	Bar   string
	Path  string // its explanation
}

// addVariants adds the prices of the variants, if the question is about the product as a whole.
func (c *call) addVariants(a *priceAnswer, q priceQuestion, e service.PriceExplanation) error {
	if q.variant != 0 {
		v, err := c.Service.Variant(c.ctx(), c.store.Key, q.product.ID, q.variant)
		a.VariantSKU = v.SKU
		return err
	}
	if e.Items[0].PriceRange == nil {
		return nil
	}
	var variants rows[service.CatalogVariant]
	page := cohort.Page{Number: 1, Size: maxPricedVariants + 2}
	if _, err := c.Service.ReadVariantsOf(c.ctx(), c.store.Key, q.product.ID, page, &variants); err != nil {
		return err
	}
	r := q.PriceRequest
	r.Full, r.Items = false, nil
	for _, v := range variants.list {
		if v.ID == q.product.BaseVariantID {
			continue
		}
		if a.MoreVariants = len(a.Variants) == maxPricedVariants; a.MoreVariants {
			break
		}
		more := c.r.URL.Query()
		more.Set("variant", strconv.FormatInt(v.ID, 10))
		a.Variants = append(a.Variants, variantPrice{ID: v.ID, Name: variantName(v), Path: c.path("prices") + "?" + more.Encode()})
		r.Items = append(r.Items, service.PriceItem{ProductID: q.product.ID, VariantID: v.ID})
	}
	if len(r.Items) == 0 {
		return nil
	}
	prices, err := c.Service.Prices(c.ctx(), c.store.Key, r)
	if err != nil {
		return err
	}
	for i, p := range prices {
		a.Variants[i].Price = service.MoneyText(p.Calculated, e.Currency)
		a.Variants[i].Bar = barWidth(p.Calculated.Decimal, e.Items[0].PriceRange.Max)
	}
	return nil
}

// variantName returns what shoppers see of a variant, such as "Size: M, Colour: Red".
func variantName(v service.CatalogVariant) string {
	name := ""
	for _, l := range v.Labels {
		if l.Option == "" {
			continue
		}
		if name != "" {
			name += ", "
		}
		name += l.Option + ": " + l.Choice
	}
	switch {
	case name == "":
		return v.SKU
	case v.SKU == "":
		return name
	}
	return name + " (" + v.SKU + ")"
}

// addVisibility says if the shopper does not see the product: then no shop offers her the price.
func (c *call) addVisibility(a *priceAnswer, q priceQuestion) error {
	checked, err := c.Service.CheckAccess(c.ctx(), c.store.Key, service.AccessRequest{
		ShopperQuery: q.ShopperQuery, ChannelID: q.ChannelID, ProductIDs: []int64{q.product.ID},
	})
	if err == nil && !checked.Products[0].Allowed {
		a.Hidden = checked.Products[0].Reason
	}
	return err
}

// pricePath returns the address of the explanation of a price of a group.
func (c *call) pricePath(group, product, channel int64) string {
	return c.path("prices") + "?" + url.Values{
		"for": {"group"}, "id": {strconv.FormatInt(group, 10)}, "product": {strconv.FormatInt(product, 10)}, "channel": {strconv.FormatInt(channel, 10)},
	}.Encode()
}
