package db

import (
	"slices"
	"strings"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// dateColumns are the columns of the filters on dates, as a query names them; see
// [txn.SQL.NoIndex].
type dateColumns struct{ created, modified string }

// indexedDates lets the engine use the indexes on dates, and unindexedDates does not.
// They matter for a list by id: with a filter that most customers pass, the index would
// find and sort all of them for each page.
var indexedDates = dateColumns{"date_created", "date_modified"}

func (t *Tx) unindexedDates() dateColumns {
	return dateColumns{t.SQL().NoIndex + "date_created", t.SQL().NoIndex + "date_modified"}
}

// inOrderOfIDs makes SQLite read the rows of a store by id, which is their order on the
// disk, if all of them have to be read: it would take any index that begins with the
// store. An index on a date that few customers have is better.
func (w *where) inOrderOfIDs(f cohort.CustomerFilter, dates dateColumns) {
	narrow := f.DateCreated != (cohort.TimeRange{}) && dates.created == indexedDates.created ||
		f.DateModified != (cohort.TimeRange{}) && dates.modified == indexedDates.modified
	if f.Scans() && !narrow {
		w.text.WriteString(" AND id > 0")
	}
}

// readsRows reports whether a count has to read the rows of customers, and not only an
// index.
func readsRows(f cohort.CustomerFilter) bool {
	return f.Scans() || f.DateCreated != (cohort.TimeRange{}) && f.DateModified != (cohort.TimeRange{})
}

func (t *Tx) whereCustomers(storeKey string, f cohort.CustomerFilter, dates dateColumns) *where {
	w := whereStore(storeKey)
	w.inOrderOfIDs(f, dates)
	t.customersPass(w, f, dates)
	return w
}

// customersPass adds the conditions of a filter on customers. Argument 1 is the store's
// key.
func (t *Tx) customersPass(w *where, f cohort.CustomerFilter, dates dateColumns) {
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
	if f.NotInGroupID != nil {
		w.and(groupInEffect+" <> ?", *f.NotInGroupID)
	}
	if f.MinID > 0 {
		w.and("id >= ?", f.MinID)
	}
	if f.MaxID > 0 {
		w.and("id <= ?", f.MaxID)
	}
	w.timeRange(dates.created, f.DateCreated)
	w.timeRange(dates.modified, f.DateModified)
	t.customersInLists(w, f)
}

// fullName is the name that customers are found by.
const fullName = "(first_name || ' ' || last_name)"

// customersInLists adds the conditions of the lists of a filter.
func (t *Tx) customersInLists(w *where, f cohort.CustomerFilter) {
	in(w, "id", f.IDs)
	in(w, "email_folded", foldAll(f.Emails))
	in(w, "company", f.Companies)
	in(w, "phone", f.Phones)
	in(w, "registration_ip_address", f.RegistrationIPAddresses)
	in(w, fullName, f.Names)
	switch {
	case f.GroupIDs == nil:
	case slices.Contains(f.GroupIDs, 0):
		w.text.WriteString(" AND (customer_group_id IN " + tombstones + " OR " + isIn(w, "customer_group_id", f.GroupIDs) + ")")
	default:
		in(w, "customer_group_id", f.GroupIDs)
		w.text.WriteString(" AND customer_group_id NOT IN " + tombstones)
	}
	if f.NameParts == nil {
		return
	}
	folded := "lower(" + fullName + t.SQL().ByteOrder + ")"
	tests := []string{"1 = 0"}
	for _, part := range f.NameParts {
		// A substring test in the same SQL for both engines, without wildcard characters.
		tests = append(tests, "replace("+folded+", "+w.arg(cohort.FoldASCII(part))+", '') <> "+folded)
	}
	w.text.WriteString(" AND (" + strings.Join(tests, " OR ") + ")")
}

// foldAll folds the texts of a filter. It keeps nil, which means no filter.
func foldAll(texts []string) []string {
	if texts == nil {
		return nil
	}
	folded := make([]string, len(texts))
	for i, text := range texts {
		folded[i] = Fold(text)
	}
	return folded
}

// creditFilter returns the text to compare store_credit with. A value with more
// decimal places than are stored matches no customer.
func creditFilter(d decimal.Decimal) string {
	if d.Equal(d.Truncate(cohort.AmountScale)) {
		return creditText(d)
	}
	return d.String()
}
