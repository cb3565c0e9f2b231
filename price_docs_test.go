package cohort_test

import (
	"fmt"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// The test computes each worked example of docs/prices.md and compares it with its table
// row. It also checks the arithmetic in the row without the pricer.
func TestPricesInDocs(t *testing.T) {
	text, err := os.ReadFile("docs/prices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, examples, _ := strings.Cut(string(text), "## Worked examples")
	parents := treeIn(t, examples)
	rows := 0
	for line := range strings.Lines(examples) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| What it shows |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 6 {
			t.Errorf("the row does not have six columns: %s", line)
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		t.Run(cells[0], func(t *testing.T) {
			e := exampleOf(t, cells, parents)
			p := explainItem(cohort.NewPricer(e.terms), e.item, cohort.AllLosers)
			if got := costs(e.terms.Currency, p); got != cells[4] {
				t.Errorf("the price is\n%s, but the document has\n%s", got, cells[4])
			}
			if got := decidedBy(p); got != cells[5] {
				t.Errorf("the price is decided by %q, but the document has %q", got, cells[5])
			}
			checkArithmetic(t, cells[4], e.terms.Currency.Decimals)
		})
	}
	if rows < 20 {
		t.Errorf("%d examples, want at least 20", rows)
	}
}

// treeIn parses the category tree: an id and a name per line, indented by two spaces per
// level.
func treeIn(t *testing.T, text string) cohort.CategoryParents {
	_, text, _ = strings.Cut(text, "```\n")
	text, _, found := strings.Cut(text, "```")
	if !found {
		t.Fatal("the document has no category tree")
	}
	parents := cohort.CategoryParents{}
	above := []int64{0}
	for line := range strings.Lines(text) {
		name := strings.TrimLeft(line, " ")
		depth := (len(line) - len(name)) / 2
		id := wholeNumber(t, strings.Fields(name)[0])
		parents[id] = above[depth]
		above = append(above[:depth+1], id)
	}
	return parents
}

func wholeNumber(t *testing.T, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type example struct {
	terms cohort.PriceTerms
	item  pricedItem
}

func exampleOf(t *testing.T, cells []string, parents cohort.CategoryParents) example {
	e := example{
		terms: cohort.PriceTerms{Group: &cohort.Group{ID: 1}, Parents: parents},
		item: pricedItem{
			Product: cohort.Product{ID: 1, BaseVariantID: 1}, Variant: &cohort.Variant{ID: 1, ProductID: 1},
			Records: map[int64]cohort.PriceRecord{},
		},
	}
	catalog, asked, other := strings.Cut(cells[1], ", asked in ")
	e.terms.CatalogCurrency, e.terms.Currency = currency(catalog), currency(catalog)
	if other {
		e.terms.Currency = currency(asked)
	}
	for part := range strings.SplitSeq(cells[2], "; ") {
		e.product(t, part)
	}
	if cells[3] == "nothing" {
		return e
	}
	for part := range strings.SplitSeq(cells[3], "; ") {
		what, value, _ := strings.Cut(part, ": ")
		if strings.HasPrefix(what, "list of ") {
			e.list(t, strings.TrimPrefix(what, "list of "), value)
		} else {
			e.rule(t, what, value)
		}
	}
	return e
}

// product parses one property of the product: "49.99", "sale 40", "variant 20", "variant
// sale 15", "in 3 and 8", or a tier.
func (e *example) product(t *testing.T, part string) {
	p, v := &e.item.Product, e.item.Variant
	words := strings.Fields(part)
	last := words[len(words)-1]
	switch {
	case strings.HasPrefix(part, "from "):
		p.BulkTiers = append(p.BulkTiers, tierIn(t, part))
	case words[0] == "in":
		for id := range strings.SplitSeq(strings.TrimPrefix(part, "in "), " and ") {
			p.Categories = append(p.Categories, wholeNumber(t, id))
		}
	case strings.HasPrefix(part, "variant sale "):
		v.SalePrice = decimal.NewNullDecimal(decimal.RequireFromString(last))
	case words[0] == "variant":
		v.Price = decimal.NewNullDecimal(decimal.RequireFromString(last))
	case words[0] == "sale":
		p.SalePrice = decimal.RequireFromString(last)
	default:
		p.Price = decimal.RequireFromString(part)
	}
}

var tierText = regexp.MustCompile(`^from (\d+)(?: to (\d+))?: (.+)$`)

func tierIn(t *testing.T, text string) cohort.BulkTier {
	m := tierText.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%q is not a tier", text)
	}
	tier := cohort.BulkTier{QuantityMin: wholeNumber(t, m[1])}
	if m[2] != "" {
		tier.QuantityMax = wholeNumber(t, m[2])
	}
	tier.Amount, tier.Method = discountIn(t, m[3])
	return tier
}

// discountIn parses a discount such as "15 percent".
func discountIn(t *testing.T, text string) (decimal.Decimal, cohort.Method) {
	amount, method, _ := strings.Cut(text, " ")
	if m := cohort.Method(method); m == cohort.MethodPercent || m == cohort.MethodFixed || m == cohort.MethodPrice {
		return decimal.RequireFromString(amount), m
	}
	t.Fatalf("%q is not a discount", text)
	return decimal.Decimal{}, ""
}

// rule parses the rule of "all", "product" or "category 3".
func (e *example) rule(t *testing.T, what, value string) {
	r := cohort.DiscountRule{}
	switch words := strings.Fields(what); words[0] {
	case "all":
		r.Type = cohort.RuleAll
	case "product":
		r.Type, r.TargetID = cohort.RuleProduct, e.item.Product.ID
	case "category":
		r.Type, r.TargetID = cohort.RuleCategory, wholeNumber(t, words[1])
	default:
		t.Fatalf("%q is not a rule", what)
	}
	r.Amount, r.Method = discountIn(t, value)
	e.terms.Group.DiscountRules = append(e.terms.Group.DiscountRules, r)
}

// list parses a list of "group and channel", "group" or "channel", which may be "inactive"
// or "unknown", and its record: "30, sale 25, from 10: 5 percent".
func (e *example) list(t *testing.T, whose, value string) {
	whose, state, _ := strings.Cut(whose, ", ")
	l := cohort.AssignedList{Known: state != "unknown", Active: state != "inactive"}
	switch whose {
	case "group and channel":
		l.ID, e.terms.GroupChannelList = 1, cohort.AssignedList{ID: 1, Known: l.Known, Active: l.Active}
	case "group":
		l.ID, e.terms.GroupList = 2, cohort.AssignedList{ID: 2, Known: l.Known, Active: l.Active}
	case "channel":
		l.ID, e.terms.ChannelList = 3, cohort.AssignedList{ID: 3, Known: l.Known, Active: l.Active}
	default:
		t.Fatalf("%q is not a kind of list", whose)
	}
	if value == "no price" || !l.Known {
		return
	}
	r := cohort.PriceRecord{PriceListID: l.ID, Currency: e.terms.Currency.Code}
	for part := range strings.SplitSeq(value, ", ") {
		sale, isSale := strings.CutPrefix(part, "sale ")
		switch {
		case isSale:
			r.SalePrice = decimal.NewNullDecimal(decimal.RequireFromString(sale))
		case strings.HasPrefix(part, "from "):
			r.BulkTiers = append(r.BulkTiers, tierIn(t, part))
		default:
			r.Price = decimal.NewNullDecimal(decimal.RequireFromString(part))
		}
	}
	e.item.Records[l.ID] = r
}

// costs writes out the computation of the price of one piece, and of the tiers.
func costs(c cohort.Currency, p cohort.Price) string {
	one, tiers := "no price", ""
	for _, candidate := range p.Candidates {
		switch {
		case candidate.Won:
			one = arithmetic(c, p, candidate, candidate.Rule.Method, candidate.Rule.Amount)
		case candidate.Source == cohort.SourceBulkTier && candidate.Gives.Valid:
			tiers += fmt.Sprintf("; from %d: %s", candidate.Tier.QuantityMin,
				arithmetic(c, p, candidate, candidate.Tier.Method, candidate.Tier.Amount))
		}
	}
	return one + tiers
}

func arithmetic(c cohort.Currency, p cohort.Price, candidate cohort.PriceCandidate, m cohort.Method, amount decimal.Decimal) string {
	gives, base := candidate.Gives.Decimal.StringFixed(c.Decimals), candidate.Base.Decimal
	var sum string
	switch m {
	case cohort.MethodPercent:
		sum = fmt.Sprintf("%s × (1 − %s/100) = %s", base, amount, base.Mul(decimal.NewFromInt(100).Sub(amount)).Shift(-2))
	case cohort.MethodPrice:
		sum = fmt.Sprintf("%s − %s = %s", base, amount, strings.Replace(base.Sub(amount).String(), "-", "−", 1))
	case cohort.MethodFixed:
		sum = amount.String()
	default: // a list's price, or the catalog's
		sum = paid(p).String()
	}
	return sum + " → " + gives
}

// paid returns the entered price that applies if no rule decides: the sale price if there
// is one, which in the catalog must be lower than the price.
func paid(p cohort.Price) decimal.Decimal {
	onSale := p.SalePrice.Valid
	if won := winnerOf(p); won.Source == cohort.SourceCatalog {
		onSale = onSale && p.SalePrice.Decimal.LessThan(p.Price.Decimal)
	}
	if onSale {
		return p.SalePrice.Decimal
	}
	return p.Price.Decimal
}

func decidedBy(p cohort.Price) string {
	won := winnerOf(p)
	if won == nil {
		return "nothing"
	}
	switch won.Source {
	case cohort.SourceGroupChannelList:
		return "list of group and channel"
	case cohort.SourceGroupList:
		return "list of group"
	case cohort.SourceChannelList:
		return "list of channel"
	case cohort.SourceProductRule:
		return "product rule"
	case cohort.SourceCategoryRule:
		return fmt.Sprintf("rule for category %d", won.Rule.TargetID)
	case cohort.SourceSitewideRule:
		return "sitewide rule"
	}
	return string(won.Source)
}

var (
	percentText = regexp.MustCompile(`^([\d.]+) × \(1 − ([\d.]+)/100\)$`)
	minusText   = regexp.MustCompile(`^([\d.]+) − ([\d.]+)$`)
)

// checkArithmetic computes the left side of each "=", and rounds the left side of each
// "→".
func checkArithmetic(t *testing.T, text string, decimals int32) {
	if text == "no price" {
		return
	}
	for part := range strings.SplitSeq(text, "; ") {
		if _, sum, isTier := strings.Cut(part, ": "); isTier {
			part = sum
		}
		left, rounded, _ := strings.Cut(part, " → ")
		sum, exact, isSum := strings.Cut(left, " = ")
		if !isSum {
			exact = left
		}
		value := fraction(t, strings.Replace(exact, "−", "-", 1))
		if isSum && compute(t, sum).Cmp(value) != 0 {
			t.Errorf("%s is not %s", sum, exact)
		}
		if value.Sign() < 0 {
			value = new(big.Rat)
		}
		if want := halfUp(value, decimals).FloatString(int(decimals)); want != rounded {
			t.Errorf("%s rounds to %s, not %s", left, want, rounded)
		}
	}
}

func compute(t *testing.T, sum string) *big.Rat {
	if m := percentText.FindStringSubmatch(sum); m != nil {
		part := new(big.Rat).Quo(fraction(t, m[2]), big.NewRat(100, 1))
		return part.Mul(fraction(t, m[1]), part.Sub(big.NewRat(1, 1), part))
	}
	if m := minusText.FindStringSubmatch(sum); m != nil {
		return new(big.Rat).Sub(fraction(t, m[1]), fraction(t, m[2]))
	}
	t.Fatalf("%q is not a known computation", sum)
	return nil
}

func fraction(t *testing.T, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is not a number", s)
	}
	return r
}
