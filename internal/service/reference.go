package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// references is the result of the check of the categories and products that a group's
// access and rules refer to.
type references struct {
	// managed: the store's catalog is complete, so references must exist.
	managed bool
	// unknown is a KindInvalid error about the first category or product that does
	// not exist.
	unknown error
}

// lookUp checks the categories and products that access and rules refer to. It reads
// nothing if there are none, or if access or rules are invalid.
func (s *Service) lookUp(ctx context.Context, storeKey string, access cohort.CategoryAccess, rules []cohort.DiscountRule) (refs references, err error) {
	if access.Type != cohort.AccessSpecific && !namesTargets(rules) {
		return refs, nil
	}
	if access.Validate() != nil || cohort.ValidateRules(rules) != nil {
		return refs, nil
	}
	store, err := s.cachedStore(ctx, storeKey)
	if err != nil || store.Catalog != cohort.CatalogManaged {
		return refs, err
	}
	refs.managed = true
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		refs.unknown, err = firstUnknown(tx, storeKey, access, rules)
		return err
	})
	return refs, err
}

func namesTargets(rules []cohort.DiscountRule) bool {
	for _, r := range rules {
		if r.Type != cohort.RuleAll {
			return true
		}
	}
	return false
}

// firstUnknown returns, as unknown, an error about the first category or product that
// does not exist.
func firstUnknown(tx *db.Tx, storeKey string, access cohort.CategoryAccess, rules []cohort.DiscountRule) (unknown, err error) {
	if access.Type == cohort.AccessSpecific {
		id, err := tx.MissingCategory(storeKey, access.Categories)
		if err != nil {
			return nil, err
		}
		if id != 0 {
			return unknownCategory("categories", id), nil
		}
	}
	targets := map[cohort.RuleType][]int64{}
	for _, r := range rules {
		targets[r.Type] = append(targets[r.Type], r.TargetID)
	}
	category, err := tx.MissingCategory(storeKey, targets[cohort.RuleCategory])
	if err != nil {
		return nil, err
	}
	product, err := tx.MissingProduct(storeKey, targets[cohort.RuleProduct])
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		switch {
		case r.Type == cohort.RuleCategory && r.TargetID == category:
			return unknownCategory("category_id", category), nil
		case r.Type == cohort.RuleProduct && r.TargetID == product:
			return cohort.Invalid("product_id", fmt.Sprintf("Product id %d does not exist.", product)), nil
		}
	}
	return nil, nil
}

// check returns the error for rules that are about to be stored. It looks up the price
// list and keeps it from being deleted until the transaction ends.
func (r references) check(tx *db.Tx, storeKey string, rules []cohort.DiscountRule) error {
	if r.unknown != nil || !r.managed {
		return r.unknown
	}
	id := cohort.PriceListRule(rules)
	if id == 0 {
		return nil
	}
	has, err := tx.HasPriceList(storeKey, id)
	if err == nil && !has {
		return unknownList(id)
	}
	return err
}

func unknownCategory(field string, id int64) error {
	return cohort.Invalid(field, fmt.Sprintf("Category id %d does not exist.", id))
}

func unknownList(id int64) error {
	return cohort.Invalid("price_list_id", fmt.Sprintf("Price list id %d does not exist.", id))
}
