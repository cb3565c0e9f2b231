package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MaxAccessChecks bounds how many products, and how many categories, one request
// may ask about. The vendor has no such request.
const MaxAccessChecks = 500

// AccessRequest asks what a shopper may see.
type AccessRequest struct {
	ShopperQuery
	ProductIDs, CategoryIDs []int64
}

// AccessAnswer says what a shopper may see, in the order in which it was asked.
type AccessAnswer struct {
	Shopper              Shopper
	Products, Categories []cohort.AccessDecision
}

// CheckAccess says of each product and category whether a shopper may see it. It
// returns KindInvalid for a request that breaks a rule or names a customer or a
// group that does not exist, and AccessErrors with every product and category
// that does not exist. Where ctx ends before all is decided, it returns ctx's
// error.
func (s *Service) CheckAccess(ctx context.Context, storeHash string, r AccessRequest) (AccessAnswer, error) {
	if err := checkAccessRequest(r); err != nil {
		return AccessAnswer{}, err
	}
	var b accessBasis
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		b, err = readAccess(tx, storeHash, r)
		return err
	})
	if err != nil {
		return AccessAnswer{}, err
	}
	return b.answer(ctx, r)
}

func checkAccessRequest(r AccessRequest) error {
	tooMany := fmt.Sprintf("A request has at most %d of them.", MaxAccessChecks)
	switch {
	case len(r.ProductIDs)+len(r.CategoryIDs) == 0:
		return cohort.Invalid("product_ids", "At least one product or category is needed.")
	case len(r.ProductIDs) > MaxAccessChecks:
		return cohort.Invalid("product_ids", tooMany)
	case len(r.CategoryIDs) > MaxAccessChecks:
		return cohort.Invalid("category_ids", tooMany)
	}
	return nil
}

// accessBasis is what is decided from.
type accessBasis struct {
	shopper  Shopper
	managed  bool // what Cohort's catalog does not have does not exist
	products map[int64]cohort.Product
	tree     tree
}

func readAccess(tx *db.Tx, storeHash string, r AccessRequest) (b accessBasis, err error) {
	store, err := tx.Store(storeHash)
	if err != nil {
		return b, err
	}
	b.managed = store.Catalog == cohort.CatalogManaged
	if b.shopper, err = readShopper(tx, storeHash, r.ShopperQuery); err != nil {
		return b, err
	}
	if b.products, err = tx.ProductsToPrice(storeHash, r.ProductIDs, nil); err != nil {
		return b, err
	}
	b.tree, err = readTree(tx, storeHash, r.ProductIDs, r.CategoryIDs, budgets{
		ofProducts: &db.Budget{Left: maxPricedCategories, Over: tooMuch("product_ids", "categories", maxPricedCategories)},
		above:      &db.Budget{Left: maxPricedCategories, Over: tooMuch("product_ids", "categories", maxPricedCategories)},
	})
	return b, err
}

// AccessErrors says which products and categories of a request do not exist, by
// their places in it.
type AccessErrors struct{ Products, Categories cohort.ItemErrors }

func (e AccessErrors) Error() string {
	return fmt.Sprintf("%d products and %d categories do not exist", len(e.Products), len(e.Categories))
}

// Unwrap makes its kind that of what is wrong.
func (e AccessErrors) Unwrap() []error { return append(e.Products.Unwrap(), e.Categories.Unwrap()...) }

func (b accessBasis) answer(ctx context.Context, r AccessRequest) (AccessAnswer, error) {
	a := AccessAnswer{Shopper: b.shopper}
	wrong := AccessErrors{cohort.ItemErrors{}, cohort.ItemErrors{}}
	access := cohort.NewAccess(b.shopper.Group, b.tree.parents())
	for i, id := range r.ProductIDs {
		if err := ctx.Err(); err != nil {
			return AccessAnswer{}, err
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
		return AccessAnswer{}, wrong
	}
	return a, nil
}
