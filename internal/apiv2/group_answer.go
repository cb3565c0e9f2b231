package apiv2

import (
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// Groups are what clients ask for most, so their answers are put together by
// hand: encoding/json takes ten times as long. The tests hold every byte
// against it.

// usualGroup is room for the answer of all but a few groups, in bytes.
const usualGroup = 512

// groupDocument is the answer that shows one group.
func groupDocument(g cohort.Group) *api.Document {
	return api.NewDocument(appendGroup(make([]byte, 0, usualGroup), g))
}

// writeGroup answers with a group that was just made or changed.
func writeGroup(w http.ResponseWriter, g cohort.Group) error {
	api.WriteFinished(w, http.StatusOK, appendGroup(make([]byte, 0, usualGroup), g))
	return nil
}

// groupList is the list of groups that a reader reads.
func groupList(p cohort.Page, read reader[cohort.Group]) api.List[cohort.Group] {
	return list(p, read, func(g cohort.Group) int64 { return g.ID }, func(dst []byte, g cohort.Group) ([]byte, error) {
		return appendGroup(dst, g), nil
	})
}

// appendGroup appends a customer group. The order of the fields is the
// vendor's.
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

// appendAccess leaves the categories out when there are none.
func appendAccess(dst []byte, a cohort.CategoryAccess) []byte {
	dst = append(dst, `{"type":`...)
	dst = api.AppendText(dst, string(a.Type))
	before := `,"categories":[`
	for _, id := range a.Categories {
		dst = append(dst, before...)
		dst = strconv.AppendInt(dst, id, 10)
		before = ","
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

// appendRule appends the fields that a rule of its type has.
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

// appendAmount appends an amount with four decimals. Those that fit into an
// int64 are taken apart there; to make a decimal of another scale is dear.
func appendAmount(dst []byte, amount decimal.Decimal) []byte {
	const most = 18 // digits that fit into an int64 whatever they are
	shift := int(amount.Exponent()) + cohort.AmountScale
	if shift < 0 || shift+amount.NumDigits() > most {
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

// appendGroupDate appends a date as groups have it, "2023-07-17 06:30:41" in
// UTC and in quotes. It is [time.DateTime], in a third of the time that
// time.Format takes.
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
