package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/shopspring/decimal"
)

// PriceRequest asks what things cost for a shopper.
type PriceRequest struct {
	ShopperQuery
	ChannelID int64  // from 1
	Currency  string // of the answer, by ISO 4217; "" is the store's
	Items     []PriceItem
	// Full lists all candidates in an explanation, instead of the first
	// ListedLosers of each source that lost, for at most MaxFullItems items.
	Full bool
}

// PriceItem is one thing whose price is asked: a variant, by its id or by the
// options that it alone has, or a product as a whole.
type PriceItem struct {
	ProductID int64
	VariantID int64 // 0: none is named
	Options   []cohort.OptionValue
}

// PricedAnswer is the price of an item.
type PricedAnswer struct {
	Item      PriceItem // as it was asked
	VariantID int64     // the variant that this is the price of; 0: the product as a whole
	cohort.Price
	// The least and the most that is paid for one of the product's variants, and
	// their retail prices, where the price is that of a product with variants as
	// a whole. nil where there are none.
	PriceRange, RetailRange *PriceRange
}

// PriceRange is from the least of some prices to the most.
type PriceRange struct{ Min, Max decimal.Decimal }

func (r *PriceRange) with(p decimal.Decimal) *PriceRange {
	if r == nil {
		return &PriceRange{p, p}
	}
	return &PriceRange{decimal.Min(r.Min, p), decimal.Max(r.Max, p)}
}

// PriceExplanation is prices with what is needed to say how they came about.
type PriceExplanation struct {
	Shopper  Shopper
	Currency cohort.Currency
	// CatalogCurrency is that of rules, and of bulk tiers that give no price.
	CatalogCurrency cohort.Currency
	Answers         []PricedAnswer
	CategoryNames   map[int64]string // of all that category rules reach through
}

// Prices returns the price of each item, in their order. All of it is read in
// one moment, and nothing is kept, so no price is older than the last change
// that was acknowledged when it was asked for.
//
// It returns KindInvalid for a request that breaks a rule, that names a customer
// or a group that does not exist, or that takes more work than a request may, and
// cohort.ItemErrors with everything that is wrong with the items. Where ctx ends
// before all prices are there, it returns ctx's error.
func (s *Service) Prices(ctx context.Context, storeHash string, r PriceRequest) ([]PricedAnswer, error) {
	b, err := s.readBasis(ctx, storeHash, r, false)
	if err != nil {
		return nil, err
	}
	return b.answers(ctx)
}

// ExplainPrices is Prices with how they came about.
func (s *Service) ExplainPrices(ctx context.Context, storeHash string, r PriceRequest) (e PriceExplanation, err error) {
	b, err := s.readBasis(ctx, storeHash, r, true)
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
	e.Answers, err = b.answers(ctx)
	return e, err
}

// readBasis reads what the prices are computed from.
func (s *Service) readBasis(ctx context.Context, storeHash string, r PriceRequest, explained bool) (*priceBasis, error) {
	currency, err := checkPriceRequest(r, explained)
	if err != nil {
		return nil, err
	}
	var b *priceBasis
	err = s.db.View(ctx, func(tx *db.Tx) error {
		b = newPriceBasis(r, currency, explained, s.bounds)
		return b.read(tx, storeHash)
	})
	return b, err
}
