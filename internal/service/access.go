package service

import (
	"cmp"
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MaxAccessChecks bounds the products of one request, and the categories. The vendor
// has no such request.
const MaxAccessChecks = 500

// AccessRequest asks which products and categories a shopper may see.
type AccessRequest struct {
	ShopperQuery
	ChannelID               int64 // 0: channel 1
	ProductIDs, CategoryIDs []int64
}

// AccessResult holds a decision for each product and category of an AccessRequest, in
// the same order.
type AccessResult struct {
	Shopper              Shopper
	Products, Categories []cohort.AccessDecision
}

// CheckAccess decides for each product and category of the request whether the
// shopper may see it. It returns KindInvalid for a request that breaks a rule or
// names an unknown customer or group, and AccessErrors with every product and
// category that does not exist. If ctx ends first, it returns the error of ctx.
func (s *Service) CheckAccess(ctx context.Context, storeKey string, r AccessRequest) (AccessResult, error) {
	if err := checkAccessRequest(r); err != nil {
		return AccessResult{}, err
	}
	var b accessBasis
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		b, err = readAccess(tx, storeKey, r)
		return err
	})
	if err != nil {
		return AccessResult{}, err
	}
	return b.decide(ctx, r)
}

func checkAccessRequest(r AccessRequest) error {
	tooMany := fmt.Sprintf("A request has at most %d of them.", MaxAccessChecks)
	switch {
	case r.ChannelID < 0:
		return errChannelID()
	case len(r.ProductIDs)+len(r.CategoryIDs) == 0:
		return cohort.Invalid("product_ids", "At least one product or category is needed.")
	case len(r.ProductIDs) > MaxAccessChecks:
		return cohort.Invalid("product_ids", tooMany)
	case len(r.CategoryIDs) > MaxAccessChecks:
		return cohort.Invalid("category_ids", tooMany)
	}
	return nil
}

// accessBasis is the data that the decisions are made from.
type accessBasis struct {
	shopper  Shopper
	managed  bool // the store's catalog is complete: an unknown category does not exist
	products map[int64]cohort.Product
	tree     tree
}

func readAccess(tx *db.Tx, storeKey string, r AccessRequest) (b accessBasis, err error) {
	store, err := tx.Store(storeKey)
	if err != nil {
		return b, err
	}
	b.managed = store.Catalog == cohort.CatalogManaged
	channelID := cmp.Or(r.ChannelID, cohort.FirstChannelID)
	if err := checkChannel(tx, store, channelID); err != nil {
		return b, err
	}
	if b.shopper, err = readShopper(tx, storeKey, channelID, r.ShopperQuery); err != nil {
		return b, err
	}
	if b.products, err = tx.ProductsToPrice(storeKey, r.ProductIDs, nil); err != nil {
		return b, err
	}
	b.tree, err = readTree(tx, storeKey, r.ProductIDs, r.CategoryIDs, budgets{
		ofProducts: &db.Budget{Left: maxPricedCategories, Over: tooMuch("product_ids", "categories", maxPricedCategories)},
		above:      &db.Budget{Left: maxPricedCategories, Over: tooMuch("product_ids", "categories", maxPricedCategories)},
	})
	return b, err
}

// AccessErrors lists the products and categories of a request that do not exist, by
// their index in the request.
type AccessErrors struct{ Products, Categories cohort.ItemErrors }

func (e AccessErrors) Error() string {
	return fmt.Sprintf("%d products and %d categories do not exist", len(e.Products), len(e.Categories))
}

// Unwrap returns the errors of the items, which decide the kind.
func (e AccessErrors) Unwrap() []error { return append(e.Products.Unwrap(), e.Categories.Unwrap()...) }

func (b accessBasis) decide(ctx context.Context, r AccessRequest) (AccessResult, error) {
	a := AccessResult{Shopper: b.shopper}
	wrong := AccessErrors{cohort.ItemErrors{}, cohort.ItemErrors{}}
	access := cohort.NewAccess(b.shopper.Group, b.tree.parents())
	for i, id := range r.ProductIDs {
		if err := ctx.Err(); err != nil {
			return AccessResult{}, err
		}
		if _, ok := b.products[id]; !ok {
			wrong.Products[i] = cohort.Invalid("", fmt.Sprintf("There is no product %d.", id))
		}
		a.Products = append(a.Products, access.Product(b.tree.ofProduct[id]))
	}
	for i, id := range r.CategoryIDs {
		if _, ok := b.tree.categories[id]; !ok && b.managed {
			wrong.Categories[i] = cohort.Invalid("", fmt.Sprintf("There is no category %d.", id))
		}
		a.Categories = append(a.Categories, access.Category(id))
	}
	if len(wrong.Products)+len(wrong.Categories) > 0 {
		return AccessResult{}, wrong
	}
	return a, nil
}
