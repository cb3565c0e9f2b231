package service

import (
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// MoneyText is an amount, rounded as it is paid, with its currency; "-" if there is none.
func MoneyText(d decimal.NullDecimal, c cohort.Currency) string {
	if !d.Valid {
		return "-"
	}
	return d.Decimal.StringFixed(c.Decimals) + " " + c.Code
}

// String names the shopper, such as "customer 3 in the group "VIP" (7)".
func (s Shopper) String() string {
	who := "a shopper"
	if s.CustomerID != 0 {
		who = "customer " + strconv.FormatInt(s.CustomerID, 10)
	}
	if s.Group == nil {
		return who + " in no group"
	}
	return fmt.Sprintf("%s in the group %q (%d)", who, s.Group.Name, s.Group.ID)
}

// CandidateText describes a candidate of the explanation in the words of a merchant, such as
// "rule for category Clothes > Shirts: 5 % off 20".
func (e PriceExplanation) CandidateText(c cohort.PriceCandidate) string {
	code := e.CatalogCurrency.Code // the currency of rules
	switch c.Source {
	case cohort.SourceGroupChannelList:
		return listText(c.List, "of the group in this channel")
	case cohort.SourceGroupList:
		return listText(c.List, "of the group")
	case cohort.SourceChannelList:
		return listText(c.List, "of the channel")
	case cohort.SourceProductRule:
		return "rule for this product: " + discountText(c.Rule.Method, c.Rule.Amount, c.Base, code)
	case cohort.SourceCategoryRule:
		return fmt.Sprintf("rule for category %s: %s", pathText(c.Path, e.CategoryNames), discountText(c.Rule.Method, c.Rule.Amount, c.Base, code))
	case cohort.SourceSitewideRule:
		return "rule for everything: " + discountText(c.Rule.Method, c.Rule.Amount, c.Base, code)
	case cohort.SourceBulkTier:
		if c.Gives.Valid {
			code = e.Currency.Code
		}
		return "bulk price: " + discountText(c.Tier.Method, c.Tier.Amount, c.Base, code)
	case cohort.SourceCatalog:
		return "catalog price"
	}
	return string(c.Source)
}

func listText(l cohort.AssignedList, whose string) string {
	if !l.Known {
		return fmt.Sprintf("price list %d %s", l.ID, whose)
	}
	return fmt.Sprintf("price list %q (%d) %s", l.Name, l.ID, whose)
}

func discountText(m cohort.Method, amount decimal.Decimal, base decimal.NullDecimal, code string) string {
	var text string
	switch m {
	case cohort.MethodPercent:
		text = amount.String() + " % off"
	case cohort.MethodPrice:
		text = amount.String() + " " + code + " off"
	case cohort.MethodFixed:
		text = "fixed at " + amount.String() + " " + code
	}
	if base.Valid {
		text += " " + base.Decimal.String()
	}
	return text
}

// pathText names the categories from the one of a rule down to the one of the product.
func pathText(path []int64, names map[int64]string) string {
	steps := make([]string, len(path))
	for i, id := range path {
		steps[len(path)-1-i] = names[id]
	}
	return strings.Join(steps, " > ")
}
