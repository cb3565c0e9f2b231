package cohort

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// MaxRules is the maximum number of discount rules of a group.
const MaxRules = 1000

// Amounts are exact decimals with at most AmountScale digits after the decimal point and
// amountIntDigits before it, as in DECIMAL(20,4).
const (
	AmountScale     = 4
	amountIntDigits = 16
)

// RuleType is the kind of products that a discount rule applies to.
type RuleType string

// The rule types.
const (
	RuleAll       RuleType = "all"        // the whole catalog ("sitewide")
	RuleCategory  RuleType = "category"   // a category and those below it
	RuleProduct   RuleType = "product"    // one product
	RulePriceList RuleType = "price_list" // the prices of a price list
)

// Method is the meaning of a rule's amount.
type Method string

// The methods. Source: the vendor's description of group discounts.
const (
	MethodPercent Method = "percent" // amount is the discount in per cent
	MethodFixed   Method = "fixed"   // amount is the final price
	MethodPrice   Method = "price"   // amount is the discount in money
)

// DiscountRule is a discount for the members of a group.
type DiscountRule struct {
	Type RuleType
	// TargetID is the id of the category, product or price list; 0 for RuleAll.
	TargetID int64
	// Method and Amount are zero for RulePriceList.
	Method Method
	// Amount is a percentage or money in the store's currency, with at most four decimals.
	Amount decimal.Decimal
}

// targetFields names the wire field that carries a rule type's target.
var targetFields = map[RuleType]string{
	RuleAll: "", RuleCategory: "category_id", RuleProduct: "product_id", RulePriceList: "price_list_id",
}

// TargetField returns the wire name of the field with the target of rules of this type
// ("category_id"), "" if they have no target, and false for an unknown type.
func (t RuleType) TargetField() (field string, ok bool) {
	field, ok = targetFields[t]
	return field, ok
}

// SitewideRule returns the rule for the whole catalog, if the list contains one.
func SitewideRule(rules []DiscountRule) (DiscountRule, bool) {
	for _, r := range rules {
		if r.Type == RuleAll {
			return r, true
		}
	}
	return DiscountRule{}, false
}

// ValidateRules checks each rule and the list as a whole. It returns a KindInvalid error
// that names the first invalid field, or "discount_rules" if rules conflict.
func ValidateRules(rules []DiscountRule) error {
	if len(rules) > MaxRules {
		return Invalid("discount_rules", fmt.Sprintf("A group has at most %d discount rules.", MaxRules))
	}
	for _, r := range rules {
		if err := r.validate(); err != nil {
			return err
		}
	}
	type target struct {
		Type RuleType
		ID   int64
	}
	seen := make(map[target]bool, len(rules))
	for _, r := range rules {
		if r.Type == RulePriceList && len(rules) > 1 {
			return Invalid("discount_rules", "A price_list rule must be the only rule.")
		}
		t := target{r.Type, r.TargetID}
		if seen[t] {
			return Invalid("discount_rules", repeatReason(r))
		}
		seen[t] = true
	}
	return nil
}

func repeatReason(r DiscountRule) string {
	if r.Type == RuleAll {
		return "There must be at most one rule of type all."
	}
	return fmt.Sprintf("There must be at most one rule for %s %d.", r.Type, r.TargetID)
}

func (r DiscountRule) validate() error {
	field, ok := r.Type.TargetField()
	switch {
	case !ok:
		return Invalid("type", "The type must be all, category, product or price_list.")
	case field != "" && r.TargetID < 1:
		return Invalid(field, "An id is a positive integer.")
	case field == "" && r.TargetID != 0:
		return Invalid("type", "A rule of type all has no target.")
	case r.Type == RulePriceList:
		if r.Method != "" || !r.Amount.IsZero() {
			return Invalid("discount_rules", "A price_list rule has no method and no amount.")
		}
		return nil
	}
	switch r.Method {
	case MethodPercent, MethodFixed, MethodPrice:
	default:
		return Invalid("method", "The method must be percent, fixed or price.")
	}
	return validateAmount(r.Method, r.Amount)
}

var (
	maxPercent = decimal.NewFromInt(100)
	amountEnd  = decimal.New(1, amountIntDigits)
)

func validateAmount(m Method, a decimal.Decimal) error {
	if m == MethodPercent && a.GreaterThan(maxPercent) {
		return Invalid("amount", "A percentage must not be more than 100.")
	}
	return checkMoney("amount", a)
}

// checkMoney checks that an amount of money, or a percentage, can be stored exactly.
func checkMoney(field string, a decimal.Decimal) error {
	switch {
	case a.IsNegative():
		return Invalid(field, "The amount must not be negative.")
	case !a.Equal(a.Truncate(AmountScale)):
		return Invalid(field, fmt.Sprintf("The amount must have at most %d decimals.", AmountScale))
	case a.GreaterThanOrEqual(amountEnd):
		return Invalid(field, fmt.Sprintf("The amount must have at most %d digits before the point.", amountIntDigits))
	}
	return nil
}

// ParseAmount parses a decimal in the syntax of JSON numbers: digits, a decimal point, an
// exponent. It returns a KindInvalid error without a field for anything else, including
// NaN and infinities, and for numbers so large that arithmetic would be expensive.
func ParseAmount(s string) (decimal.Decimal, error) {
	if isPlainNumber(s) {
		if d, err := decimal.NewFromString(s); err == nil {
			return d, nil
		}
	}
	return decimal.Decimal{}, Invalid("", "The amount must be a decimal number.")
}

// maxNumberLength and maxExponent reject "1e999999999" and a megabyte of digits before
// they become a big integer.
const (
	maxNumberLength = 64
	maxExponent     = 64
)

func isPlainNumber(s string) bool {
	if len(s) > maxNumberLength {
		return false
	}
	mantissa, exponent, hasExponent := cutExponent(s)
	if hasExponent {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > maxExponent || e < -maxExponent {
			return false
		}
	}
	mantissa = strings.TrimPrefix(mantissa, "-")
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	return isDigits(whole) && (!hasPoint || isDigits(fraction))
}

func cutExponent(s string) (mantissa, exponent string, found bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
