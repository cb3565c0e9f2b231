package apiv2

import (
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// Clients request groups more often than anything else, so groups have an encoder of
// their own (docs/decisions/0002). The tests compare its output with encoding/json
// byte for byte.

// usualGroup is the initial capacity for one group, in bytes. Few groups exceed it.
const usualGroup = 512

// groupDocument returns the response with one group.
func groupDocument(g cohort.Group) *api.Document {
	return api.NewDocument(appendGroup(make([]byte, 0, usualGroup), g))
}

// writeGroup sends a group that was just created or updated.
func writeGroup(w http.ResponseWriter, g cohort.Group) error {
	api.WriteEncoded(w, http.StatusOK, appendGroup(make([]byte, 0, usualGroup), g))
	return nil
}

// groupList returns the list of the groups of a reader.
func groupList(p cohort.Page, read reader[cohort.Group]) api.List[cohort.Group] {
	return list(p, read, func(g cohort.Group) int64 { return g.ID }, func(dst []byte, g cohort.Group) ([]byte, error) {
		return appendGroup(dst, g), nil
	})
}

// appendGroup appends a customer group. The fields are in the vendor's order.
func appendGroup(dst []byte, g cohort.Group) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, g.ID, 10)
	dst = append(dst, `,"name":`...)
	dst = api.AppendText(dst, g.Name)
	dst = append(dst, `,"category_access":`...)
	dst = appendAccess(dst, g.CategoryAccess)
	dst = append(dst, `,"discount_rules":`...)
	dst = appendRules(dst, g.DiscountRules)
	dst = append(dst, `,"date_created":`...)
	dst = appendGroupDate(dst, g.DateCreated)
	dst = append(dst, `,"date_modified":`...)
	dst = appendGroupDate(dst, g.DateModified)
	dst = append(dst, `,"is_group_for_guests":`...)
	dst = strconv.AppendBool(dst, g.IsGroupForGuests)
	dst = append(dst, `,"is_default":`...)
	dst = strconv.AppendBool(dst, g.IsDefault)
	return append(dst, '}')
}

// appendAccess omits the categories when there are none.
func appendAccess(dst []byte, a cohort.CategoryAccess) []byte {
	dst = append(dst, `{"type":`...)
	dst = api.AppendText(dst, string(a.Type))
	separator := `,"categories":[`
	for _, id := range a.Categories {
		dst = append(dst, separator...)
		dst = strconv.AppendInt(dst, id, 10)
		separator = ","
	}
	if len(a.Categories) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendRules(dst []byte, rules []cohort.DiscountRule) []byte {
	dst = append(dst, '[')
	for i, r := range rules {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendRule(dst, r)
	}
	return append(dst, ']')
}

// appendRule appends the fields of the rule's type.
func appendRule(dst []byte, r cohort.DiscountRule) []byte {
	dst = append(dst, `{"type":`...)
	dst = api.AppendText(dst, string(r.Type))
	switch r.Type {
	case cohort.RuleCategory:
		dst = appendTarget(dst, `,"category_id":`, r.TargetID)
	case cohort.RuleProduct:
		dst = appendTarget(dst, `,"product_id":`, r.TargetID)
	case cohort.RulePriceList:
		dst = appendTarget(dst, `,"price_list_id":`, r.TargetID)
	}
	if r.Method != "" {
		dst = append(dst, `,"method":`...)
		dst = api.AppendText(dst, string(r.Method))
	}
	if r.Type != cohort.RulePriceList {
		dst = append(dst, `,"amount":"`...)
		dst = appendAmount(dst, r.Amount)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func appendTarget(dst []byte, name string, id int64) []byte {
	if id == 0 {
		return dst
	}
	dst = append(dst, name...)
	return strconv.AppendInt(dst, id, 10)
}

// appendAmount appends an amount with four decimals. It formats amounts that fit
// into an int64 itself, because rescaling a decimal is expensive.
func appendAmount(dst []byte, amount decimal.Decimal) []byte {
	const maxDigits = 18 // every number with so many digits fits into an int64
	shift := int(amount.Exponent()) + cohort.AmountScale
	if shift < 0 || shift+amount.NumDigits() > maxDigits {
		return append(dst, amount.StringFixed(cohort.AmountScale)...)
	}
	n := amount.CoefficientInt64()
	for range shift {
		n *= 10
	}
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	dst = strconv.AppendInt(dst, n/10_000, 10)
	dst = append(dst, '.')
	dst = append2(dst, int(n/100%100))
	return append2(dst, int(n%100))
}

// appendGroupDate appends a date of a group in UTC and in quotes:
// "2023-07-17 06:30:41". The format is [time.DateTime]; time.Format takes three times
// as long.
func appendGroupDate(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	dst = append(dst, '"')
	if year < 0 || year > 9999 {
		return append(t.AppendFormat(dst, time.DateTime), '"')
	}
	hour, minute, second := t.Clock()
	dst = append2(dst, year/100)
	dst = append2(dst, year%100)
	dst = append2(append(dst, '-'), int(month))
	dst = append2(append(dst, '-'), day)
	dst = append2(append(dst, ' '), hour)
	dst = append2(append(dst, ':'), minute)
	dst = append2(append(dst, ':'), second)
	return append(dst, '"')
}

// append2 appends a number below 100 as two digits.
func append2(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
