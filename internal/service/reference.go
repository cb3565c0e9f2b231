package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// references is what is known of the catalog that a group's access and rules name
// parts of.
type references struct {
	// managed: Cohort knows all of the catalog, so that what it does not know is
	// not there.
	managed bool
	// unknown is a KindInvalid error about the first category or product that is
	// named and not there.
	unknown error
}

// lookUp finds out about what a group names. What names nothing costs nothing, and
// neither does what will be refused anyway.
func (s *Service) lookUp(ctx context.Context, storeHash string, access cohort.CategoryAccess, rules []cohort.DiscountRule) (refs references, err error) {
	if access.Type != cohort.AccessSpecific && !namesTargets(rules) {
		return refs, nil
	}
	if access.Validate() != nil || cohort.ValidateRules(rules) != nil {
		return refs, nil
	}
	store, err := s.rememberedStore(ctx, storeHash)
	if err != nil || store.Catalog != cohort.CatalogManaged {
		return refs, err
	}
	refs.managed = true
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		refs.unknown, err = firstUnknown(tx, storeHash, access, rules)
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

// firstUnknown returns an error about the first category or product that is not
// there, as unknown.
func firstUnknown(tx *db.Tx, storeHash string, access cohort.CategoryAccess, rules []cohort.DiscountRule) (unknown, err error) {
	if access.Type == cohort.AccessSpecific {
		id, err := tx.MissingCategory(storeHash, access.Categories)
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
	category, err := tx.MissingCategory(storeHash, targets[cohort.RuleCategory])
	if err != nil {
		return nil, err
	}
	product, err := tx.MissingProduct(storeHash, targets[cohort.RuleProduct])
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

// check returns the error about what rules that are about to be stored name. The
// price list is looked up now, and is there until the transaction ends.
func (r references) check(tx *db.Tx, storeHash string, rules []cohort.DiscountRule) error {
	if r.unknown != nil || !r.managed {
		return r.unknown
	}
	id := cohort.PriceListRule(rules)
	if id == 0 {
		return nil
	}
	has, err := tx.HasPriceList(storeHash, id)
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
