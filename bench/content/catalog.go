// Package content fills databases for measurements.
package content

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/shopspring/decimal"
)

// The catalog: a tree of categories, and the terms of two groups.
const (
	categories = 1000
	rules      = 500
	records    = 10_000
)

// The groups of Catalog.
const (
	// RulesGroup has discount rules.
	RulesGroup = 1
	// ListGroup has a price list.
	ListGroup = 2
)

// Catalog adds a number of products to a store that has neither groups nor products, with
// the terms of two groups.
func Catalog(ctx context.Context, d *db.DB, store string, products int64) error {
	if err := d.UpdateLong(ctx, func(tx *db.Tx) error { return insertTerms(tx, store) }); err != nil {
		return err
	}
	const at = 10_000 // products per transaction
	for first := int64(1); first <= products; first += at {
		err := d.UpdateLong(ctx, func(tx *db.Tx) error {
			var list []cohort.PriceRecord
			for id := first; id < first+at && id <= products; id++ {
				if err := insertProduct(tx, store, id); err != nil {
					return err
				}
				if id*records/max(products, records) > (id-1)*records/max(products, records) {
					price := decimal.NewNullDecimal(decimal.New(id%1000, -2))
					list = append(list, cohort.PriceRecord{PriceListID: 1, VariantID: id, Currency: "USD", Price: price})
				}
			}
			return tx.InsertPriceRecords(store, list)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insertTerms adds the tree of categories, the groups and the price list.
func insertTerms(tx *db.Tx, store string) error {
	for id := int64(1); id <= categories; id++ {
		// Ten top-level categories, and ten below each category.
		if err := tx.InsertCategory(store, cohort.Category{ID: id, ParentID: (id - 1) / 10, Name: fmt.Sprint("Category ", id)}); err != nil {
			return err
		}
	}
	discounts := make([]cohort.DiscountRule, rules)
	for i := range discounts {
		discounts[i] = cohort.DiscountRule{Type: cohort.RuleCategory, TargetID: int64(2*i + 1), Method: cohort.MethodPercent, Amount: decimal.New(int64(i%90), 0)}
	}
	access := cohort.CategoryAccess{Type: cohort.AccessAll}
	for _, err := range []error{
		tx.InsertGroup(store, cohort.Group{ID: RulesGroup, Name: "Rules", CategoryAccess: access, DiscountRules: discounts}),
		tx.InsertGroup(store, cohort.Group{ID: ListGroup, Name: "List", CategoryAccess: access}),
		tx.InsertPriceList(store, cohort.PriceList{ID: 1, Name: "List", Active: true}),
		tx.InsertAssignment(store, cohort.PriceListAssignment{ID: 1, PriceListID: 1, GroupID: ListGroup}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func insertProduct(tx *db.Tx, store string, id int64) error {
	err := tx.InsertProduct(store, cohort.Product{
		ID: id, Name: fmt.Sprint("Product ", id), Type: cohort.ProductPhysical, Price: decimal.New(id%10_000+100, -2),
		RetailPrice: decimal.New(id%10_000+500, -2), Categories: []int64{id%categories + 1}, BaseVariantID: id,
	})
	if err != nil {
		return err
	}
	return tx.InsertVariant(store, cohort.Variant{ID: id, ProductID: id})
}

// Groups adds a number of groups to a store, with two rules each.
func Groups(ctx context.Context, d *db.DB, store string, number int) error {
	created := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	return d.UpdateLong(ctx, func(tx *db.Tx) error {
		for range number {
			id, err := tx.NextID(store, "customer_group")
			if err != nil {
				return err
			}
			g := cohort.Group{
				ID:             id,
				Name:           fmt.Sprintf("Group %d", id),
				CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{18, 19}},
				DiscountRules: []cohort.DiscountRule{
					{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.New(5, 0)},
					{Type: cohort.RuleCategory, TargetID: 18, Method: cohort.MethodPrice, Amount: decimal.New(25, -1)},
				},
				DateCreated:  created,
				DateModified: created,
			}
			if err := tx.InsertGroup(store, g); err != nil {
				return err
			}
		}
		return nil
	})
}
