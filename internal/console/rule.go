package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
)

// maxWords is how many rules of a group a list puts into words. It counts the rest.
const maxWords = 3

// names are the names of what rules and access name, by id.
type names struct {
	categories, products, lists map[int64]string
	currency                    string
}

// of returns the name of a target, with its id if the name is not known.
func (n names) of(t cohort.RuleType, id int64) string {
	known := map[cohort.RuleType]map[int64]string{
		cohort.RuleCategory: n.categories, cohort.RuleProduct: n.products, cohort.RulePriceList: n.lists,
	}[t]
	if name := known[id]; name != "" {
		return fmt.Sprintf("%s (%d)", name, id)
	}
	return fmt.Sprint(id)
}

// words says what a rule does, such as "5% off category Shirts (18)".
func (n names) words(r cohort.DiscountRule) string {
	if r.Type == cohort.RulePriceList {
		return "the prices of price list " + n.of(r.Type, r.TargetID)
	}
	where := map[cohort.RuleType]string{cohort.RuleAll: "everything", cohort.RuleCategory: "category ", cohort.RuleProduct: "product "}[r.Type]
	if r.Type != cohort.RuleAll {
		where += n.of(r.Type, r.TargetID)
	}
	amount := r.Amount.String()
	switch {
	case r.Method == cohort.MethodPercent:
		return amount + "% off " + where
	case r.Method == cohort.MethodPrice:
		return amount + " " + n.currency + " off " + where
	case r.Type == cohort.RuleCategory:
		where = "each product of " + where
	}
	return where + " for " + amount + " " + n.currency
}

// summary puts the first rules into words, and counts the rest.
func (n names) summary(rules []cohort.DiscountRule) string {
	if len(rules) == 0 {
		return "catalog prices"
	}
	var parts []string
	for _, r := range rules[:min(len(rules), maxWords)] {
		parts = append(parts, n.words(r))
	}
	if more := len(rules) - maxWords; more > 0 {
		parts = append(parts, numeral.Plural(int64(more), "more rule", "more rules"))
	}
	return strings.Join(parts, "; ")
}

// namesIn reads the names of what groups name: of each group as many as a summary has.
func (c *call) namesIn(ctx context.Context, groups []cohort.Group) (n names, err error) {
	wanted := map[cohort.RuleType][]int64{}
	for _, g := range groups {
		for _, r := range g.DiscountRules[:min(len(g.DiscountRules), maxWords)] {
			wanted[r.Type] = append(wanted[r.Type], r.TargetID)
		}
	}
	return c.names(ctx, wanted)
}

// names reads the names of categories, products and price lists with three queries at most.
// What does not exist has no name.
func (c *call) names(ctx context.Context, wanted map[cohort.RuleType][]int64) (n names, err error) {
	n = names{categories: map[int64]string{}, products: map[int64]string{}, lists: map[int64]string{}, currency: c.store.Currency}
	if ids := distinct(wanted[cohort.RuleCategory]); len(ids) > 0 {
		var found rows[cohort.Category]
		_, err := c.Service.ReadCategories(ctx, c.store.Key, cohort.CategoryFilter{IDs: ids}, cohort.CategoryOrder{}, cohort.Page{Number: 1, Size: len(ids)}, &found)
		if err != nil {
			return n, err
		}
		for _, x := range found.list {
			n.categories[x.ID] = x.Name
		}
	}
	if ids := distinct(wanted[cohort.RuleProduct]); len(ids) > 0 {
		var found rows[cohort.Product]
		_, err := c.Service.ReadProducts(ctx, c.store.Key, cohort.ProductFilter{IDs: ids}, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: len(ids)}, &found)
		if err != nil {
			return n, err
		}
		for _, x := range found.list {
			n.products[x.ID] = x.Name
		}
	}
	if ids := distinct(wanted[cohort.RulePriceList]); len(ids) > 0 {
		var found rows[cohort.PriceList]
		_, err := c.Service.ReadPriceLists(ctx, c.store.Key, cohort.PriceListFilter{IDs: ids}, cohort.Page{Number: 1, Size: len(ids)}, &found)
		if err != nil {
			return n, err
		}
		for _, x := range found.list {
			n.lists[x.ID] = x.Name
		}
	}
	return n, nil
}

func distinct(ids []int64) []int64 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
