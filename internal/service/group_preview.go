package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/shopspring/decimal"
)

// PreviewedProducts is how many products a preview of a group has.
const PreviewedProducts = 10

// draftID stands for a group that is not created yet. No group has it.
const draftID = -1

// GroupPreview is what members of a group pay and see before and after a change.
type GroupPreview struct {
	Currency cohort.Currency // that of the store
	Products []PreviewedProduct
}

// PreviewedProduct is a product as a change of a group would affect it.
type PreviewedProduct struct {
	ID            int64
	Name          string
	Before, After GroupOutcome
}

// GroupOutcome is what members of a group get of a product.
type GroupOutcome struct {
	Price decimal.Decimal // rounded to the currency's decimals
	Sees  bool            // the access of the group includes the product
}

// PreviewGroup returns what members of a group pay and see in the first channel before and
// after a change, which it does not make. Group 0 is one that would be created; its members
// are in no group before. The products are those that the rules and the access name, and
// others if these are fewer than PreviewedProducts.
//
// It returns KindNotFound for an unknown group, and KindInvalid for a change that UpdateGroup
// refuses, except that it does not check whether what the change names exists.
func (s *Service) PreviewGroup(ctx context.Context, storeKey string, id int64, u cohort.GroupUpdate) (GroupPreview, error) {
	var products []cohort.Product
	var before, after outcomes
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		var now cohort.Group
		if id != 0 {
			if now, err = tx.Group(storeKey, id); err != nil {
				return err
			}
		}
		then := u.Apply(now).Normalized()
		if err := u.Validate(then); err != nil {
			return err
		}
		if products, err = namedProducts(tx, storeKey, now, then); err != nil || len(products) == 0 {
			return err
		}
		if before, err = s.readOutcomes(tx, storeKey, id, products); err != nil {
			return err
		}
		then.ID = id
		if id == 0 {
			then.ID = draftID
		}
		after, err = s.readOutcomes(draft{tx, now, then}, storeKey, then.ID, products)
		return err
	})
	if err != nil || len(products) == 0 {
		return GroupPreview{}, err
	}
	p := GroupPreview{Currency: after.basis.terms.Currency}
	was, err := before.decide(ctx)
	if err != nil {
		return GroupPreview{}, err
	}
	is, err := after.decide(ctx)
	for i := range is {
		p.Products = append(p.Products, PreviewedProduct{products[i].ID, products[i].Name, was[i], is[i]})
	}
	return p, err
}

// draft reads the database as it would be if a group were changed.
type draft struct {
	*db.Tx
	now, then cohort.Group // then.ID is draftID for a new group
}

// Group returns the changed group in place of the stored one.
func (d draft) Group(storeKey string, id int64) (cohort.Group, error) {
	if id == d.then.ID {
		return d.then, nil
	}
	return d.Tx.Group(storeKey, id)
}

// AssignedLists sets the lists as they would be: the rule for a price list and the
// assignments of a group are one fact (see syncAssignments).
func (d draft) AssignedLists(storeKey string, groupID, channelID int64, terms *cohort.PriceTerms) error {
	if err := d.Tx.AssignedLists(storeKey, groupID, channelID, terms); err != nil {
		return err
	}
	from, to := cohort.PriceListRule(d.now.DiscountRules), cohort.PriceListRule(d.then.DiscountRules)
	if from == to {
		return nil
	}
	if from != 0 {
		terms.GroupChannelList, terms.GroupList = cohort.AssignedList{}, cohort.AssignedList{}
	}
	if to == 0 {
		return nil
	}
	terms.GroupList = cohort.AssignedList{ID: to}
	l, err := d.PriceList(storeKey, to)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return nil
	}
	terms.GroupList.Name, terms.GroupList.Known, terms.GroupList.Active = l.Name, true, l.Active
	return err
}

// outcomes is the data from which the outcomes of products for a group are computed.
type outcomes struct {
	basis *priceBasis
	tree  tree
}

func (s *Service) readOutcomes(tx priceReader, storeKey string, groupID int64, products []cohort.Product) (o outcomes, err error) {
	r := PriceRequest{ShopperQuery: ShopperQuery{GroupID: &groupID}, ChannelID: cohort.FirstChannelID}
	var ids []int64
	for _, p := range products {
		r.Items = append(r.Items, PriceItem{ProductID: p.ID})
		ids = append(ids, p.ID)
	}
	o.basis = newPriceBasis(r, cohort.Currency{}, false, s.bounds)
	o.basis.productsOnly = true
	if err := o.basis.read(tx, storeKey); err != nil {
		return o, err
	}
	o.tree, err = readTree(tx, storeKey, ids, nil, newBudgets(s.bounds))
	return o, err
}

// decide returns the outcomes in the order of the products.
func (o outcomes) decide(ctx context.Context) (list []GroupOutcome, err error) {
	prices, err := o.basis.prices(ctx)
	if err != nil {
		return nil, err
	}
	access := cohort.NewAccess(o.basis.shopper.Group, o.tree.parents())
	for _, p := range prices {
		list = append(list, GroupOutcome{p.Calculated.Decimal, access.Product(o.tree.ofProduct[p.Item.ProductID]).Allowed})
	}
	return list, nil
}

// namedProducts returns the products that a preview shows: those of rules for products, some
// of the categories that rules and access name, and others, at most PreviewedProducts.
func namedProducts(tx *db.Tx, storeKey string, now, then cohort.Group) (list []cohort.Product, err error) {
	var ids, categories []int64
	for _, g := range []cohort.Group{then, now} {
		for _, r := range g.DiscountRules {
			switch r.Type {
			case cohort.RuleProduct:
				ids = append(ids, r.TargetID)
			case cohort.RuleCategory:
				categories = append(categories, r.TargetID)
			}
		}
		categories = append(categories, g.CategoryAccess.Categories...)
	}
	var shown []int64
	add := func(f cohort.ProductFilter, most int) error {
		if f.NotIDs = shown; most == 0 {
			return nil
		}
		return tx.ReadProducts(storeKey, f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: most}, func(p cohort.Product) bool {
			list, shown = append(list, p), append(shown, p.ID)
			return true
		})
	}
	// A third of the places each, so that every kind of rule is seen.
	const third = PreviewedProducts / 3
	if len(ids) > 0 {
		if err := add(cohort.ProductFilter{IDs: unique(ids)}, third); err != nil {
			return nil, err
		}
	}
	if len(categories) > 0 {
		if err := add(cohort.ProductFilter{Categories: unique(categories)}, third); err != nil {
			return nil, err
		}
	}
	return list, add(cohort.ProductFilter{}, PreviewedProducts-len(list))
}
