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

func priceOf(terms cohort.PriceTerms, item cohort.PricedItem) cohort.Price {
	return cohort.NewPricer(terms).Explain(item, cohort.AllLosers)
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

// TestPriceOneWins: at most one candidate wins, it gives the price, and there is
// a price if and only if one wins. Each says why in a sentence.
func TestPriceOneWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := priceOf(drawTerms(t), drawItem(t))
		won := 0
		for _, c := range p.Candidates {
			if !strings.HasSuffix(c.Reason, ".") {
				t.Fatalf("%s has the reason %q", c.Source, c.Reason)
			}
			if !c.Won {
				continue
			}
			won++
			if gocmp.Diff(c.Gives, p.Calculated) != "" || c.Source == cohort.SourceBulkTier {
				t.Fatalf("%s has won with %v, and the price is %v", c.Source, c.Gives, p.Calculated)
			}
		}
		if won > 1 || (won == 1) != p.Calculated.Valid {
			t.Fatalf("%d have won, and the price is %v", won, p.Calculated)
		}
		if last := p.Candidates[len(p.Candidates)-1]; last.Source != cohort.SourceCatalog {
			t.Fatalf("the last candidate is %s", last.Source)
		}
	})
}

// TestPriceIsTheExplainedOne: a price that is not explained is the one that is,
// and so is that of a product that is prepared once for several variants.
func TestPriceIsTheExplainedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pricer := cohort.NewPricer(drawTerms(t))
		first := drawItem(t)
		product := pricer.Product(first.Product)
		for _, item := range []cohort.PricedItem{first, drawItem(t), first} {
			item.Product = first.Product
			want := pricer.Explain(item, rapid.IntRange(0, 3).Draw(t, "losers"))
			want.Candidates, want.NotListed = nil, nil
			for name, got := range map[string]cohort.Price{
				"by itself": pricer.Price(item), "prepared": product.Price(item.Variant, item.Records),
			} {
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Fatalf("%s, explained (-) and not (+):\n%s", name, diff)
				}
			}
		}
	})
}

// TestPriceExplanationIsBounded: a short explanation is the whole one without
// the losers beyond some of each source, and counts these.
func TestPriceExplanationIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pricer, item := cohort.NewPricer(drawTerms(t)), drawItem(t)
		most := rapid.IntRange(0, 3).Draw(t, "losers")
		want := pricer.Explain(item, cohort.AllLosers)
		if want.NotListed != nil {
			t.Fatalf("the whole explanation leaves out %v", want.NotListed)
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
		if diff := gocmp.Diff(want, pricer.Explain(item, most), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("with %d losers of a source (-want +got):\n%s", most, diff)
		}
	})
}

// TestPriceExplanationAgrees: whatever a candidate says of itself leads to what
// it gives, computed here with fractions, within half a unit of the exact value,
// and above it when that is in the middle.
func TestPriceExplanationAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		p := priceOf(terms, item)
		unit := big.NewRat(1, 1)
		for range terms.Currency.Decimals {
			unit.Quo(unit, big.NewRat(10, 1))
		}
		for _, c := range p.Candidates {
			exact := explained(terms, item, c)
			if (exact != nil) != c.Gives.Valid {
				t.Fatalf("%s gives %v, and its explanation %v", c.Source, c.Gives, exact)
			}
			if exact == nil {
				continue
			}
			gives := c.Gives.Decimal
			if gives.IsNegative() || !gives.Equal(gives.Truncate(terms.Currency.Decimals)) {
				t.Fatalf("%s gives %s", c.Source, gives)
			}
			above := new(big.Rat).Sub(gives.Rat(), exact)
			twice := new(big.Rat).Add(above, above)
			if twice.Cmp(unit) > 0 || twice.Cmp(new(big.Rat).Neg(unit)) <= 0 {
				t.Fatalf("%s gives %s, %s above the exact value", c.Source, gives, above.FloatString(12))
			}
		}
	})
}

// explained computes a candidate's price from what the candidate says of itself.
func explained(terms cohort.PriceTerms, item cohort.PricedItem, c cohort.PriceCandidate) *big.Rat {
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

// TestPriceIsNeverAboveBase: a discount never makes anything dearer, except for
// a fixed price.
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
			t.Fatalf("%s gives %s, and the base is %s", won.Source, p.Calculated.Decimal, base.FloatString(4))
		}
	})
}

// TestPriceOrderMeansNothing: the order of a group's rules, of a product's
// categories and of bulk tiers is nobody's.
func TestPriceOrderMeansNothing(t *testing.T) {
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
			t.Fatalf("before (-) and after (+) shuffling:\n%s", diff)
		}
	})
}

// TestPriceNarrowerRuleWins: without lists, a product rule beats category rules,
// and they beat the sitewide one, whatever each would give. Among category rules
// none that is nearer loses.
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
				t.Fatalf("%s with the path %v has won over %s with %v", won.Source, won.Path, c.Source, c.Path)
			}
		}
	})
}

// TestPriceLoserCanGo: a rule that lost, or a list that was passed over, has no
// influence on the price.
func TestPriceLoserCanGo(t *testing.T) {
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
			t.Fatalf("there were %d candidates, and without one there are %d", len(before.Candidates), len(after.Candidates))
		}
		before.Candidates, after.Candidates = nil, nil
		if diff := gocmp.Diff(before, after); diff != "" {
			t.Fatalf("before (-) and after (+) a loser went:\n%s", diff)
		}
	})
}

// without returns terms in which a candidate's rule or list is not there.
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

// TestPriceMorePercentIsNeverDearer raises the percentage of one rule.
func TestPriceMorePercentIsNeverDearer(t *testing.T) {
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

// TestPricePathsAreInTheTree: a category rule's path begins at a category of the
// product, ends at the rule's, and climbs from parent to parent. No tree, with
// whatever cycles and holes, makes the computation fail or go on for ever.
func TestPricePathsAreInTheTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, item := drawTerms(t), drawItem(t)
		anyID := rapid.OneOf(rapid.Int64Range(-2, drawnCategories), rapid.Int64())
		terms.Parents = rapid.MapOfN(anyID, anyID, 0, 20).Draw(t, "anything for a tree")
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

func faultOf(c cohort.PriceCandidate, parents cohort.CategoryParents, categories []int64) string {
	if len(c.Path) == 0 || len(c.Path) > cohort.MaxCategoryDepth {
		return "has no length that it can have"
	}
	if !slices.Contains(categories, c.Path[0]) || c.Path[len(c.Path)-1] != c.Rule.TargetID {
		return "leads from nowhere or to nowhere"
	}
	for i, id := range c.Path[1:] {
		if parents[c.Path[i]] != id {
			return fmt.Sprintf("jumps to %d", id)
		}
	}
	return ""
}
