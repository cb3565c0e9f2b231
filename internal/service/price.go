package service

import (
	"context"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/tracing"

	"github.com/shopspring/decimal"
)

// PriceRequest asks for the prices that a shopper pays.
type PriceRequest struct {
	ShopperQuery
	ChannelID int64  // at least 1
	Currency  string // the ISO 4217 code of the prices; "" is the store's currency
	Items     []PriceItem
	// Full lists all candidates in an explanation instead of the winner and the
	// first ListedLosers others of each source. It allows at most MaxFullItems items.
	Full bool
	// AsOf is the time of an explanation, by the clock of the store; the zero time: now.
	AsOf time.Time
}

// PriceItem is one item of a PriceRequest: a variant, by its id or by options that no
// other variant of the product has, or a product as a whole.
type PriceItem struct {
	ProductID int64
	VariantID int64 // 0: none
	Options   []cohort.OptionValue
}

// ItemPrice is the price of an item.
type ItemPrice struct {
	Item      PriceItem // of the request
	VariantID int64     // the priced variant; 0: the product as a whole
	cohort.Price
	// For a product as a whole, PriceRange holds the lowest and highest price of its
	// variants, and RetailRange their retail prices. They are nil if there are none.
	PriceRange, RetailRange *PriceRange
}

// PriceRange holds the lowest and the highest of some prices.
type PriceRange struct{ Min, Max decimal.Decimal }

func (r *PriceRange) with(p decimal.Decimal) *PriceRange {
	if r == nil {
		return &PriceRange{p, p}
	}
	return &PriceRange{decimal.Min(r.Min, p), decimal.Max(r.Max, p)}
}

// PriceExplanation is the result of ExplainPrices.
type PriceExplanation struct {
	Shopper  Shopper
	Currency cohort.Currency
	// CatalogCurrency is the currency of rules, and of bulk tiers that give no price.
	CatalogCurrency cohort.Currency
	Items           []ItemPrice
	CategoryNames   map[int64]string // of all categories in the paths of category rules
}

// Prices returns the price of each item, in order. It reads everything in one
// transaction and caches nothing, so the prices reflect every change that was
// acknowledged before the call.
//
// It returns KindInvalid for a request that breaks a rule, names an unknown customer
// or group, or exceeds a bound, and cohort.ItemErrors for errors of items. If ctx ends
// first, it returns the error of ctx.
func (s *Service) Prices(ctx context.Context, storeKey string, r PriceRequest) (prices []ItemPrice, err error) {
	ctx, span := startPrices(ctx, r)
	defer func() { span.End(err) }()
	b, err := s.readBasis(ctx, storeKey, r, false)
	if err != nil {
		return nil, err
	}
	return b.prices(ctx)
}

// ExplainPrices is Prices with the candidates of each price. With [PriceRequest.AsOf] it
// explains the prices of that time, and also returns KindInvalid for a time that the events
// of the store do not reach, or of which they have not kept what the prices need.
func (s *Service) ExplainPrices(ctx context.Context, storeKey string, r PriceRequest) (e PriceExplanation, err error) {
	ctx, span := startPrices(ctx, r)
	defer func() { span.End(err) }()
	b, err := s.readBasis(ctx, storeKey, r, true)
	if err != nil {
		return e, err
	}
	e = PriceExplanation{
		Shopper: b.shopper, Currency: b.terms.Currency, CatalogCurrency: b.terms.CatalogCurrency,
		CategoryNames: make(map[int64]string, len(b.categories)),
	}
	for id, c := range b.categories {
		e.CategoryNames[id] = c.Name
	}
	e.Items, err = b.prices(ctx)
	return e, err
}

func startPrices(ctx context.Context, r PriceRequest) (context.Context, *tracing.Span) {
	ctx, span := tracing.Start(ctx, "compute prices")
	span.Number("cohort.items", len(r.Items))
	return ctx, span
}

// readBasis reads the data that the prices are computed from.
func (s *Service) readBasis(ctx context.Context, storeKey string, r PriceRequest, explained bool) (*priceBasis, error) {
	currency, err := checkPriceRequest(r, explained)
	if err != nil {
		return nil, err
	}
	var b *priceBasis
	if explained && !r.AsOf.IsZero() {
		err = s.viewPast(ctx, storeKey, r, func(past priceReader) error {
			b = newPriceBasis(r, currency, explained, s.bounds)
			return b.read(past, storeKey)
		})
		return b, err
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		b = newPriceBasis(r, currency, explained, s.bounds)
		return b.read(tx, storeKey)
	})
	return b, err
}
