package cohort_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// pricedItem is a variant, or a product as a whole, with its price records.
type pricedItem struct {
	Product cohort.Product
	Variant *cohort.Variant // nil: the product as a whole
	Records map[int64]cohort.PriceRecord
	Chosen  []cohort.ChosenModifier
}

func (i pricedItem) pricer(p *cohort.Pricer) *cohort.ProductPricer {
	of := p.Product(i.Product)
	of.Modify(i.Chosen)
	return of
}

func priceItem(p *cohort.Pricer, item pricedItem) cohort.Price {
	return item.pricer(p).Price(item.Variant, item.Records)
}

func explainItem(p *cohort.Pricer, item pricedItem, losers int) cohort.Price {
	return item.pricer(p).Explain(item.Variant, item.Records, losers)
}

// priceOf returns the explained price of an item.
func priceOf(terms cohort.PriceTerms, item pricedItem) cohort.Price {
	return explainItem(cohort.NewPricer(terms), item, cohort.AllLosers)
}

func winnerOf(p cohort.Price) *cohort.PriceCandidate {
	for i := range p.Candidates {
		if p.Candidates[i].Won {
			return &p.Candidates[i]
		}
	}
	return nil
}

func isList(s cohort.PriceSource) bool {
	return s == cohort.SourceGroupChannelList || s == cohort.SourceGroupList || s == cohort.SourceChannelList
}

func isRule(s cohort.PriceSource) bool {
	return s == cohort.SourceProductRule || s == cohort.SourceCategoryRule || s == cohort.SourceSitewideRule
}

// At most one candidate wins, and it gives the price. There is a price if and only if one
// wins. Every reason is a sentence.
func TestPriceHasOneWinner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := priceOf(drawTerms(t), drawItem(t))
		won := 0
		for _, c := range p.Candidates {
			if !strings.HasSuffix(c.Reason, ".") {
				t.Fatalf("the reason of %s is not a sentence: %q", c.Source, c.Reason)
			}
			if !c.Won {
				continue
			}
			won++
			if gocmp.Diff(c.Gives, p.Calculated) != "" || c.Source == cohort.SourceBulkTier {
				t.Fatalf("%s wins with %v, but the price is %v", c.Source, c.Gives, p.Calculated)
			}
		}
		if won > 1 || (won == 1) != p.Calculated.Valid {
			t.Fatalf("%d candidates win, and the price is %v", won, p.Calculated)
		}
		if last := p.Candidates[len(p.Candidates)-1]; last.Source != cohort.SourceCatalog {
			t.Fatalf("the last candidate is %s, want the catalog", last.Source)
		}
	})
}

// Price returns the same price as Explain, with a new ProductPricer and with one that has
// priced other variants.
func TestPriceEqualsExplain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pricer := cohort.NewPricer(drawTerms(t))
		first := drawItem(t)
		product := pricer.Product(first.Product)
		for _, item := range []pricedItem{first, drawItem(t), first} {
			item.Product = first.Product
			want := explainItem(pricer, item, rapid.IntRange(0, 3).Draw(t, "losers"))
			want.Candidates, want.NotListed = nil, nil
			for name, got := range map[string]cohort.Price{
				"a new pricer": priceItem(pricer, item), "a reused pricer": product.Price(item.Variant, item.Records),
			} {
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Fatalf("%s (-Explain +Price):\n%s", name, diff)
				}
			}
		}
	})
}

// An explanation with fewer losers is the full one without the other losers of each
// source, which it counts.
func TestPriceExplanationIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pricer, item := cohort.NewPricer(drawTerms(t)), drawItem(t)
		most := rapid.IntRange(0, 3).Draw(t, "losers")
		want := explainItem(pricer, item, cohort.AllLosers)
		if want.NotListed != nil {
			t.Fatalf("the full explanation leaves out %v", want.NotListed)
		}
		lost := map[cohort.PriceSource]int{}
		want.Candidates = slices.DeleteFunc(want.Candidates, func(c cohort.PriceCandidate) bool {
			if c.Won {
				return false
			}
			lost[c.Source]++
			if lost[c.Source] <= most {
				return false
			}
			if want.NotListed == nil {
				want.NotListed = map[cohort.PriceSource]int{}
			}
			want.NotListed[c.Source]++
			return true
		})
		if diff := gocmp.Diff(want, explainItem(pricer, item, most), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("with %d losers of each source (-want +got):\n%s", most, diff)
		}
	})
}

// The rule, base and tier of each candidate lead to what it gives, rounded half up. The
// test computes the exact value with fractions.
func TestPriceCandidateGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		p := priceOf(terms, item)
		unit := big.NewRat(1, 1)
		for range terms.Currency.Decimals {
			unit.Quo(unit, big.NewRat(10, 1))
		}
		for _, c := range p.Candidates {
			exact := exactPrice(terms, item, c)
			if (exact != nil) != c.Gives.Valid {
				t.Fatalf("%s gives %v, want %v", c.Source, c.Gives, exact)
			}
			if exact == nil {
				continue
			}
			gives := c.Gives.Decimal
			if gives.IsNegative() || !gives.Equal(gives.Truncate(terms.Currency.Decimals)) {
				t.Fatalf("%s gives %s, which is negative or not rounded", c.Source, gives)
			}
			above := new(big.Rat).Sub(gives.Rat(), exact)
			twice := new(big.Rat).Add(above, above)
			if twice.Cmp(unit) > 0 || twice.Cmp(new(big.Rat).Neg(unit)) <= 0 {
				t.Fatalf("%s gives %s, which differs by %s from the exact value", c.Source, gives, above.FloatString(12))
			}
		}
	})
}

// exactPrice computes a candidate's price from its rule, base and tier.
func exactPrice(terms cohort.PriceTerms, item pricedItem, c cohort.PriceCandidate) *big.Rat {
	switch {
	case isList(c.Source):
		if !c.List.Known {
			return nil
		}
		return rat(item.Records[c.List.ID].CalculatedPrice())
	case c.Source == cohort.SourceCatalog:
		return model{terms, item}.base()
	}
	method, amount := c.Rule.Method, c.Rule.Amount
	if c.Source == cohort.SourceBulkTier {
		method, amount = c.Tier.Method, c.Tier.Amount
	}
	if method == cohort.MethodFixed {
		if c.Gives.Valid {
			return amount.Rat()
		}
		return nil // in another currency
	}
	return off(method, amount, rat(c.Base))
}

func TestPriceIsNeverNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if p := priceOf(drawTerms(t), drawItem(t)); p.Calculated.Valid && p.Calculated.Decimal.IsNegative() {
			t.Fatalf("the price is %s", p.Calculated.Decimal)
		}
	})
}

// No discount raises a price above its base, except a fixed price.
func TestPriceIsNeverAboveBase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		p := priceOf(terms, item)
		won := winnerOf(p)
		if won == nil || isList(won.Source) || won.Rule.Method == cohort.MethodFixed {
			return
		}
		m := model{terms, item}
		if base := m.halfUp(m.base()); p.Calculated.Decimal.Rat().Cmp(base) > 0 {
			t.Fatalf("%s gives %s, which is above the base %s", won.Source, p.Calculated.Decimal, base.FloatString(4))
		}
	})
}

// The order of rules, categories and bulk tiers does not affect the price.
func TestPriceIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		before := priceOf(terms, item)
		if terms.Group != nil {
			terms.Group = &cohort.Group{DiscountRules: rapid.Permutation(terms.Group.DiscountRules).Draw(t, "shuffled rules")}
		}
		item.Product.Categories = rapid.Permutation(item.Product.Categories).Draw(t, "shuffled categories")
		item.Product.BulkTiers = rapid.Permutation(item.Product.BulkTiers).Draw(t, "shuffled tiers")
		for id, r := range item.Records {
			r.BulkTiers = rapid.Permutation(r.BulkTiers).Draw(t, "shuffled tiers of a list")
			item.Records[id] = r
		}
		if diff := gocmp.Diff(before, priceOf(terms, item)); diff != "" {
			t.Fatalf("after shuffling (-before +after):\n%s", diff)
		}
	})
}

// Without lists a product rule takes precedence over category rules, and these over the
// sitewide rule, whatever prices they give. The nearest category rule wins.
func TestPriceNarrowerRuleWins(t *testing.T) {
	narrowness := []cohort.PriceSource{
		cohort.SourceProductRule, cohort.SourceCategoryRule, cohort.SourceSitewideRule, cohort.SourceCatalog,
	}
	rapid.Check(t, func(t *rapid.T) {
		p := priceOf(withoutLists(t), drawItem(t))
		won := winnerOf(p)
		for _, c := range p.Candidates {
			if c.Source == cohort.SourceBulkTier {
				continue
			}
			if slices.Index(narrowness, c.Source) < slices.Index(narrowness, won.Source) || len(c.Path) < len(won.Path) && c.Source == won.Source {
				t.Fatalf("%s with the path %v wins over %s with %v", won.Source, won.Path, c.Source, c.Path)
			}
		}
	})
}

// Removing a losing rule or an ignored list does not change the price.
func TestPriceWithoutLoser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		before := priceOf(terms, item)
		losers := slices.DeleteFunc(slices.Clone(before.Candidates), func(c cohort.PriceCandidate) bool {
			return c.Won || !isRule(c.Source) && (!isList(c.Source) || c.List.Known && c.List.Active)
		})
		if len(losers) == 0 {
			return
		}
		after := priceOf(without(terms, rapid.SampledFrom(losers).Draw(t, "loser")), item)
		if len(after.Candidates) != len(before.Candidates)-1 {
			t.Fatalf("%d candidates before the removal of one, %d after it", len(before.Candidates), len(after.Candidates))
		}
		before.Candidates, after.Candidates = nil, nil
		if diff := gocmp.Diff(before, after); diff != "" {
			t.Fatalf("after the removal of a loser (-before +after):\n%s", diff)
		}
	})
}

// without returns the terms without a candidate's rule or list.
func without(terms cohort.PriceTerms, loser cohort.PriceCandidate) cohort.PriceTerms {
	switch loser.Source {
	case cohort.SourceGroupChannelList:
		terms.GroupChannelList = cohort.AssignedList{}
	case cohort.SourceGroupList:
		terms.GroupList = cohort.AssignedList{}
	case cohort.SourceChannelList:
		terms.ChannelList = cohort.AssignedList{}
	default:
		terms.Group = &cohort.Group{DiscountRules: slices.DeleteFunc(slices.Clone(terms.Group.DiscountRules), func(r cohort.DiscountRule) bool {
			return r.Type == loser.Rule.Type && r.TargetID == loser.Rule.TargetID
		})}
	}
	return terms
}

// A higher percentage of a rule never gives a higher price.
func TestPriceFallsWithPercentage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		if terms.Group == nil || len(terms.Group.DiscountRules) == 0 {
			return
		}
		rules := slices.Clone(terms.Group.DiscountRules)
		r := &rules[rapid.IntRange(0, len(rules)-1).Draw(t, "which")]
		r.Method = cohort.MethodPercent
		percents := []int64{rapid.Int64Range(0, 100_0000).Draw(t, "a"), rapid.Int64Range(0, 100_0000).Draw(t, "b")}
		slices.Sort(percents)
		prices := make([]cohort.Price, len(percents))
		for i, percent := range percents {
			r.Amount = decimal.New(percent, -4)
			terms.Group = &cohort.Group{DiscountRules: slices.Clone(rules)}
			prices[i] = priceOf(terms, item)
		}
		if prices[1].Calculated.Decimal.GreaterThan(prices[0].Calculated.Decimal) {
			t.Fatalf("%d ten-thousandths of a per cent off give %v, %d give %v",
				percents[0], prices[0].Calculated, percents[1], prices[1].Calculated)
		}
	})
}

// The path of a category rule leads from a category of the product to the rule's, from
// parent to parent. Trees with cycles and missing parents do not break the computation.
func TestPricePathIsInTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		anyID := rapid.OneOf(rapid.Int64Range(-2, drawnCategories), rapid.Int64())
		terms.Parents = rapid.MapOfN(anyID, anyID, 0, 20).Draw(t, "parents")
		for _, c := range priceOf(terms, item).Candidates {
			if c.Source != cohort.SourceCategoryRule {
				continue
			}
			if fault := faultOf(c, terms.Parents, item.Product.Categories); fault != "" {
				t.Fatalf("the path %v of the rule for %d %s", c.Path, c.Rule.TargetID, fault)
			}
		}
	})
}

// faultOf returns what is wrong with a candidate's path, or "".
func faultOf(c cohort.PriceCandidate, parents cohort.CategoryParents, categories []int64) string {
	if len(c.Path) == 0 || len(c.Path) > cohort.MaxCategoryDepth {
		return "has an impossible length"
	}
	if !slices.Contains(categories, c.Path[0]) || c.Path[len(c.Path)-1] != c.Rule.TargetID {
		return "does not lead from the product's category to the rule's"
	}
	for i, id := range c.Path[1:] {
		if parents[c.Path[i]] != id {
			return fmt.Sprintf("jumps to %d", id)
		}
	}
	return ""
}
