package db

import (
	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

func whereCustomers(storeKey string, f cohort.CustomerFilter) *where {
	w := whereStore(storeKey)
	for _, text := range []struct {
		column string
		value  *string
	}{
		{"company", f.Company}, {"first_name", f.FirstName}, {"last_name", f.LastName},
		{"phone", f.Phone}, {"tax_exempt_category", f.TaxExemptCategory},
	} {
		if text.value != nil {
			w.and(text.column+" = ?", *text.value)
		}
	}
	if f.Email != nil {
		w.and("email_folded = ?", Fold(*f.Email))
	}
	if f.StoreCredit != nil {
		w.and("store_credit = ?", creditFilter(*f.StoreCredit))
	}
	switch {
	case f.GroupID == nil:
	case *f.GroupID == 0:
		w.and("(customer_group_id = ? OR customer_group_id IN "+tombstones+")", 0)
	default:
		w.and("customer_group_id = ? AND customer_group_id NOT IN "+tombstones, *f.GroupID)
	}
	if f.MinID > 0 {
		w.and("id >= ?", f.MinID)
	}
	if f.MaxID > 0 {
		w.and("id <= ?", f.MaxID)
	}
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}

// creditFilter returns the text to compare store_credit with. A value with more
// decimal places than are stored matches no customer.
func creditFilter(d decimal.Decimal) string {
	if d.Equal(d.Truncate(cohort.AmountScale)) {
		return creditText(d)
	}
	return d.String()
}
