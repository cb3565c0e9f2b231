package console

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// maxPricedVariants is how many variants of a product the page of a price lists.
const maxPricedVariants = 50

func priceRoutes() []route {
	return []route{{method: "GET", path: "stores/{hash}/prices", handle: (*call).explainPrice}}
}

// priceQuestion is what the address of a price asks.
type priceQuestion struct {
	service.PriceRequest
	product  cohort.Product
	variant  int64
	quantity int64
}

// pricePage is what the page of a price shows.
type pricePage struct {
	Form   form
	Kinds  []option
	Answer *priceAnswer // nil: nothing was asked, or the form has a problem
}

// priceAnswer is the price, and what was considered.
type priceAnswer struct {
	Each          string // the price of one piece, with its currency
	Quantity      int64
	Total         string // of the quantity
	Shopper       shopperLine
	Email         string // of the customer; "": not known
	Product       cohort.Product
	Variant       int64
	VariantSKU    string
	AsOf          time.Time // the zero time: now
	DecidedBy     string
	Catalog       string // "": the price is not lower than the catalog price
	Saved         string // in per cent of the catalog price
	Lowest        string // of the variants; "": all cost the same as the product
	Highest       string
	Steps         []priceStep
	Tiers         []priceStep
	NotListed     int
	Variants      []variantPrice
	MoreVariants  bool
	Hidden        string // why the shopper does not see the product; "": she does
	AccessPath    string
	CalculatedRaw string // as the API writes it
}

// shopperLine says for whom an answer is.
type shopperLine struct {
	service.Shopper
	Path string // the page of the group; "": none
}

// explainPrice shows what a shopper pays, and why.
func (c *call) explainPrice() error {
	values := c.r.URL.Query()
	for name, usual := range map[string]string{"for": "customer", "channel": "1", "quantity": "1", "currency": c.store.Currency} {
		if !values.Has(name) {
			values.Set(name, usual)
		}
	}
	p := page{name: "prices", title: "Why this price"}
	body := pricePage{Form: form{Values: values}, Kinds: shopperKinds}
	if values.Has("product") { // other pages lead here with the rest of the question
		answer, q, err := c.answerPrice()
		if err != nil {
			problem, status, err := refusedQuestion(err)
			if err != nil {
				return err
			}
			body.Form.Problem, p.status = problem, status
		} else {
			body.Answer, p.same = &answer, c.samePrice(q)
		}
	}
	p.body = body
	return c.render(p)
}

// inputNames are the inputs of the console for fields of the API that have another name.
var inputNames = map[string]string{
	"customer_id": "id", "customer_group_id": "id", "product_id": "product", "variant_id": "variant", "items": "product",
	"channel_id": "channel", "currency_code": "currency", "product_ids": "product", "category_ids": "category",
}

// refusedQuestion is refused for a form that asks.
func refusedQuestion(err error) (*problem, int, error) {
	p, status, err := refused(err)
	if p != nil {
		p.field = cmp.Or(inputNames[p.field], p.field)
	}
	return p, status, err
}

func (c *call) askedPrice() (q priceQuestion, err error) {
	if q.ShopperQuery, err = c.askedShopper(); err != nil {
		return q, err
	}
	if q.AsOf, err = c.askedTime("as_of"); err != nil {
		return q, err
	}
	if q.product, q.variant, err = c.askedProduct(!q.AsOf.IsZero()); err != nil {
		return q, err
	}
	if q.variant, err = c.askedNumber("variant", q.variant, "Give the id of a variant, or leave this empty."); err != nil {
		return q, err
	}
	if q.ChannelID, err = c.askedNumber("channel", cohort.FirstChannelID, "Give the id of a channel."); err != nil {
		return q, err
	}
	if q.quantity, err = c.askedNumber("quantity", 1, "Give a whole number of at least 1."); err != nil {
		return q, err
	}
	q.Currency, q.Full = strings.ToUpper(c.query("currency")), true
	q.Items = []service.PriceItem{{ProductID: q.product.ID, VariantID: q.variant}}
	return q, nil
}

// answerPrice explains the price, among the expensive requests that the process computes at
// once.
func (c *call) answerPrice() (a priceAnswer, q priceQuestion, err error) {
	if q, err = c.askedPrice(); err != nil {
		return a, q, err
	}
	release, err := c.expensive()
	if err != nil {
		return a, q, err
	}
	defer release()
	e, err := c.Service.ExplainPrices(c.ctx(), c.store.Key, q.PriceRequest)
	if err != nil {
		return a, q, err
	}
	a = c.newPriceAnswer(q, e)
	if a.Email, err = c.emailOf(q.CustomerID); err != nil {
		return a, q, err
	}
	if !q.AsOf.IsZero() {
		return a, q, nil
	}
	if err = c.addVariants(&a, q, e); err == nil {
		err = c.addVisibility(&a, q)
	}
	return a, q, err
}

func (c *call) newPriceAnswer(q priceQuestion, e service.PriceExplanation) priceAnswer {
	price := e.Items[0]
	a := priceAnswer{
		Quantity: q.quantity, Shopper: c.shopperLine(e.Shopper), Product: q.product, Variant: price.VariantID, AsOf: q.AsOf,
		AccessPath: c.path("access") + "?" + c.shopperQuery(url.Values{"product": {strconv.FormatInt(q.product.ID, 10)}}),
	}
	each := price.Calculated
	a.Steps, a.Tiers = c.priceSteps(q, e)
	for i, candidate := range price.Candidates {
		if candidate.Won {
			a.DecidedBy = stepText(e, price, price.Candidates[i])
		}
		if candidate.Source == cohort.SourceBulkTier && candidate.Gives.Valid && candidate.Tier.Covers(q.quantity) {
			each = candidate.Gives
			a.DecidedBy += ", then the " + e.CandidateText(candidate)
		}
		if candidate.Source == cohort.SourceCatalog && candidate.Gives.Valid && candidate.Gives.Decimal.GreaterThan(each.Decimal) {
			a.Catalog = service.MoneyText(candidate.Gives, e.Currency)
			a.Saved = candidate.Gives.Decimal.Sub(each.Decimal).Shift(2).Div(candidate.Gives.Decimal).Round(1).String()
		}
	}
	for _, n := range price.NotListed {
		a.NotListed += n
	}
	a.Each, a.CalculatedRaw = service.MoneyText(each, e.Currency), price.Calculated.Decimal.String()
	if q.quantity > 1 {
		a.Total = service.MoneyText(decimal.NewNullDecimal(each.Decimal.Mul(decimal.NewFromInt(q.quantity))), e.Currency)
	}
	if r := price.PriceRange; r != nil && (!r.Min.Equal(r.Max) || !r.Min.Equal(price.Calculated.Decimal)) {
		a.Lowest = service.MoneyText(decimal.NewNullDecimal(r.Min), e.Currency)
		a.Highest = service.MoneyText(decimal.NewNullDecimal(r.Max), e.Currency)
	}
	return a
}

func (c *call) shopperLine(s service.Shopper) shopperLine {
	line := shopperLine{Shopper: s}
	if s.Group != nil {
		line.Path = c.path("groups", strconv.FormatInt(s.Group.ID, 10))
	}
	return line
}

// emailOf returns the e-mail of a customer; "": there is no such customer now.
func (c *call) emailOf(id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	customer, err := c.Service.Customer(c.ctx(), c.store.Key, id)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return "", nil
	}
	return customer.Email, err
}

// shopperQuery returns the parameters that ask for the same shopper and channel.
func (c *call) shopperQuery(more url.Values) string {
	for _, name := range []string{"for", "id", "channel"} {
		if value := c.query(name); value != "" {
			more.Set(name, value)
		}
	}
	return more.Encode()
}

// samePrice returns how to ask the same without the console.
func (c *call) samePrice(q priceQuestion) []example {
	flags := fmt.Sprintf("cohort price --store %s --product %d", c.store.Hash, q.product.ID)
	item := map[string]any{"product_id": q.product.ID}
	if q.variant != 0 {
		flags += fmt.Sprintf(" --variant %d", q.variant)
		item["variant_id"] = q.variant
	}
	currency := cmp.Or(q.Currency, c.store.Currency)
	body := map[string]any{"channel_id": q.ChannelID, "currency_code": currency, "items": []any{item}}
	switch {
	case q.GroupID != nil:
		flags += fmt.Sprintf(" --group %d", *q.GroupID)
		body["customer_group_id"] = *q.GroupID
	case q.CustomerID != 0:
		flags += fmt.Sprintf(" --customer %d", q.CustomerID)
		body["customer_id"] = q.CustomerID
	}
	if q.ChannelID != cohort.FirstChannelID {
		flags += fmt.Sprintf(" --channel %d", q.ChannelID)
	}
	if currency != c.store.Currency {
		flags += " --currency " + currency
	}
	path := "/cohort/v1/prices/explain?full=true"
	if !q.AsOf.IsZero() {
		at := q.AsOf.Format(time.RFC3339Nano)
		flags += " --as-of " + at
		path += "&as_of=" + at
	}
	return []example{{"curl", c.storeCurl(path, body)}, {"Command line", flags + " --explain"}}
}
