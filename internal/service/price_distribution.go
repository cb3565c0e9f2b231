package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/shopspring/decimal"
)

const (
	// MaxDistributed bounds the products of a price distribution.
	MaxDistributed = 5000
	// LargestDiscounts is how many products a price distribution names.
	LargestDiscounts = 10
	// distributionSlice is how many products one transaction of a price distribution prices.
	distributionSlice = 100
	// Discounts are counted in steps of as many per cent, up to the last one.
	discountStep, lastDiscountStep = 5, 50
)

// DistributionRequest asks for the distribution of the prices of a group.
type DistributionRequest struct {
	GroupID   int64
	ChannelID int64 // at least 1
	Limit     int   // how many products are priced at most, from 100 to MaxDistributed
}

// PriceDistribution says how many products cost a group how much less than in the catalog.
// Prices are those of products as a whole, in the currency of the store.
type PriceDistribution struct {
	Group    cohort.Group
	Currency cohort.Currency
	Priced   int   // products whose prices were computed
	Products int64 // of the catalog
	Dearer   int   // products that cost more than in the catalog
	Same     int   // those that cost as much
	Steps    []DiscountStep
	// Largest are products with the largest discounts in per cent, the largest first. Dearest
	// are those with the largest difference among those that cost more than in the catalog.
	Largest, Dearest []DiscountedProduct
}

// Sample reports whether the catalog has more products than were priced. They are spread over
// the catalog by their ids.
func (d PriceDistribution) Sample() bool { return int64(d.Priced) < d.Products }

// DiscountStep counts the products with a discount above one percentage and up to another. A
// price is compared with the price at that discount as it would be rounded, so all products
// of a rule of 5 per cent are in the step up to 5.
type DiscountStep struct {
	Above, UpTo int64 // UpTo 0: no end
	Products    int
}

// DiscountedProduct is a product with its price for a group.
type DiscountedProduct struct {
	ID             int64
	Name           string
	Catalog, Price decimal.Decimal // rounded to the currency's decimals
	Percent        decimal.Decimal // by how much Price is lower; 0 in Dearest
}

// PriceDistribution computes the prices of the products of a store for the members of a
// group, as Prices does, and counts them by their discount. If the store has more products
// than the limit, it takes some from each part of the catalog. Each slice of products is read
// in a transaction of its own, so changes that are made meanwhile may be in a part of the
// counts.
//
// It returns KindNotFound for an unknown group, KindInvalid for an invalid request, and the
// error of ctx if that ends first.
func (s *Service) PriceDistribution(ctx context.Context, storeKey string, r DistributionRequest) (PriceDistribution, error) {
	if r.Limit < distributionSlice || r.Limit > MaxDistributed {
		return PriceDistribution{}, cohort.Invalid("limit", fmt.Sprintf("The value must be a whole number from %d to %d.", distributionSlice, MaxDistributed))
	}
	d := distribution{service: s, storeKey: storeKey, request: r}
	err := s.db.View(ctx, d.begin)
	for i := 0; i < len(d.parts) && err == nil; i++ {
		err = d.addPart(ctx, d.parts[i])
	}
	return d.result, err
}

// distribution is the computation of a PriceDistribution.
type distribution struct {
	service  *Service
	storeKey string
	request  DistributionRequest
	parts    []idRange
	result   PriceDistribution
}

// idRange is a part of a catalog, by the ids of its products. Its first slice is priced, or
// all of it.
type idRange struct {
	first, last int64
	whole       bool
}

// begin reads the group, and decides which products are priced.
func (d *distribution) begin(tx *db.Tx) (err error) {
	d.result, d.parts = PriceDistribution{}, nil
	for above := int64(0); above <= lastDiscountStep; above += discountStep {
		d.result.Steps = append(d.result.Steps, DiscountStep{Above: above, UpTo: above + discountStep})
	}
	d.result.Steps[len(d.result.Steps)-1].UpTo = 0
	if d.result.Group, err = tx.Group(d.storeKey, d.request.GroupID); err != nil {
		return err
	}
	if d.result.Products, err = tx.CountProducts(d.storeKey, cohort.ProductFilter{}); err != nil || d.result.Products == 0 {
		return err
	}
	first, err := d.endOfCatalog(tx, false)
	if err != nil {
		return err
	}
	last, err := d.endOfCatalog(tx, true)
	if err != nil {
		return err
	}
	if d.result.Products <= int64(d.request.Limit) {
		d.parts = []idRange{{first, last, true}}
		return nil
	}
	count := int64(d.request.Limit / distributionSlice)
	width := (last-first)/count + 1
	for start := first; start <= last; start += width {
		d.parts = append(d.parts, idRange{start, min(start+width-1, last), false})
	}
	return nil
}

// endOfCatalog returns the lowest id of a product, or the highest one.
func (d *distribution) endOfCatalog(tx *db.Tx, highest bool) (id int64, err error) {
	order := cohort.ProductOrder{By: cohort.SortProductsByID, Descending: highest}
	err = tx.ReadProducts(d.storeKey, cohort.ProductFilter{}, order, cohort.Page{Number: 1, Size: 1}, func(p cohort.Product) bool {
		id = p.ID
		return false
	})
	return id, err
}

// addPart adds the products of a part, slice by slice.
func (d *distribution) addPart(ctx context.Context, part idRange) error {
	after := ""
	for {
		products, bases, err := d.readSlice(ctx, part, after)
		if err != nil {
			return err
		}
		for _, b := range bases {
			if err := d.addPrices(ctx, b, products); err != nil {
				return err
			}
		}
		if !part.whole || len(products) < distributionSlice {
			return nil
		}
		after = strconv.FormatInt(products[len(products)-1].ID, 10)
	}
}

// readSlice reads the next products of a part, and what their prices are computed from.
func (d *distribution) readSlice(ctx context.Context, part idRange, after string) (products []cohort.Product, bases []*priceBasis, err error) {
	r := PriceRequest{ShopperQuery: ShopperQuery{GroupID: &d.request.GroupID}, ChannelID: d.request.ChannelID}
	if r.ChannelID < 1 {
		return nil, nil, errChannelID()
	}
	err = d.service.db.View(ctx, func(tx *db.Tx) (err error) {
		products, r.Items = nil, nil
		filter := cohort.ProductFilter{IDRange: cohort.IntRange{Min: &part.first, Max: &part.last}}
		page := cohort.Page{Number: 1, Size: distributionSlice, After: after}
		err = tx.ReadProducts(d.storeKey, filter, cohort.ProductOrder{}, page, func(p cohort.Product) bool {
			products = append(products, p)
			r.Items = append(r.Items, PriceItem{ProductID: p.ID})
			return true
		})
		if err != nil || len(products) == 0 {
			return err
		}
		bases, err = d.readBases(tx, r)
		return err
	})
	return products, bases, err
}

// readBases reads what prices are computed from. If the products have more categories or
// tiers than one request may read, it reads them in halves.
func (d *distribution) readBases(tx *db.Tx, r PriceRequest) ([]*priceBasis, error) {
	b := newPriceBasis(r, cohort.Currency{}, false, d.service.bounds)
	b.productsOnly = true
	err := b.read(tx, d.storeKey)
	if err == nil {
		return []*priceBasis{b}, nil
	}
	if e, ok := errors.AsType[*cohort.Error](err); !ok || e.Field != "items" || len(r.Items) == 1 {
		return nil, err
	}
	half := len(r.Items) / 2
	var bases []*priceBasis
	for _, items := range [][]PriceItem{r.Items[:half], r.Items[half:]} {
		r.Items = items
		more, err := d.readBases(tx, r)
		if err != nil {
			return nil, err
		}
		bases = append(bases, more...)
	}
	return bases, nil
}

func (d *distribution) addPrices(ctx context.Context, b *priceBasis, products []cohort.Product) error {
	prices, err := b.prices(ctx)
	if err != nil {
		return err
	}
	d.result.Currency = b.terms.Currency
	for _, p := range prices {
		at, found := slices.BinarySearchFunc(products, p.Item.ProductID, func(p cohort.Product, id int64) int { return int(p.ID - id) })
		if !found {
			return fmt.Errorf("product %d has a price, but is not of the slice", p.Item.ProductID)
		}
		d.add(products[at], p.Calculated.Decimal)
	}
	return nil
}

// add counts the price of a product.
func (d *distribution) add(p cohort.Product, price decimal.Decimal) {
	d.result.Priced++
	exact := p.CatalogPrice()
	one := DiscountedProduct{ID: p.ID, Name: p.Name, Catalog: d.result.Currency.Round(exact), Price: price}
	switch price.Cmp(one.Catalog) {
	case 0:
		d.result.Same++
		return
	case 1:
		d.result.Dearer++
		d.result.Dearest = ranked(d.result.Dearest, one, func(p DiscountedProduct) decimal.Decimal { return p.Price.Sub(p.Catalog) })
		return
	}
	for i := range d.result.Steps {
		step := &d.result.Steps[i]
		off := exact.Mul(decimal.NewFromInt(100 - step.UpTo)).Shift(-2)
		if step.UpTo == 0 || price.GreaterThanOrEqual(d.result.Currency.Round(off)) {
			step.Products++
			break
		}
	}
	one.Percent = one.Catalog.Sub(price).Shift(2).Div(one.Catalog)
	d.result.Largest = ranked(d.result.Largest, one, func(p DiscountedProduct) decimal.Decimal { return p.Percent })
}

// ranked adds a product to a list of those with the highest values if it is one of them.
// Products come by id, so of equal ones the first stays.
func ranked(list []DiscountedProduct, p DiscountedProduct, value func(DiscountedProduct) decimal.Decimal) []DiscountedProduct {
	of := value(p)
	at, _ := slices.BinarySearchFunc(list, of, func(in DiscountedProduct, of decimal.Decimal) int {
		if value(in).LessThan(of) {
			return 1
		}
		return -1
	})
	if at == LargestDiscounts {
		return list
	}
	list = slices.Insert(list, at, p)
	return list[:min(len(list), LargestDiscounts)]
}
