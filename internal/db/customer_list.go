package db

import (
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// A list of customers in any order is read in two steps: the ids of the page, which
// mostly takes an index alone, and then the rows with these ids, in batches. The first
// step returns no row before it has found them all, because only the wait for the first
// row of a query ends with the request, and a filter without an index may have to look
// at every customer of the store for each match.

// customerBatchBytes ends a batch of customers early, because the notes of 50 customers
// may have 13 MB.
const customerBatchBytes = 1 << 20

// ReadCustomerBatches calls fn with the customers of a page that pass the filter, in
// batches of at most size, until fn returns false or an error. fn may use the transaction. For a page
// with a cursor it returns how many customers there are from the page on, in the
// direction of the cursor, but looks no further than one beyond the page.
func (t *Tx) ReadCustomerBatches(storeKey string, f cohort.CustomerFilter, o cohort.CustomerOrder, p cohort.Page, size int, fn func([]cohort.Customer) (more bool, err error)) (found int64, err error) {
	ids, err := t.customerIDs(storeKey, f, o, p)
	if err != nil {
		return 0, err
	}
	found = int64(len(ids))
	if extra := len(ids) - p.Size; extra > 0 {
		if isBackwards(p) {
			ids = ids[extra:]
		} else {
			ids = ids[:p.Size]
		}
	}
	for len(ids) > 0 {
		batch, err := t.customersWithIDs(storeKey, ids[:min(size, len(ids))], o)
		if err != nil {
			return 0, err
		}
		if more, err := fn(batch); err != nil || !more {
			return found, err
		}
		ids = ids[len(batch):]
	}
	return found, nil
}

// customersWithIDs returns customers that exist, in the order of the list, until they
// have customerBatchBytes.
func (t *Tx) customersWithIDs(storeKey string, ids []int64, o cohort.CustomerOrder) (batch []cohort.Customer, err error) {
	rows, err := t.Query("SELECT "+groupInEffect+", "+customerColumns+" FROM ("+t.rowsOf(txn.LookupBy{
		Columns: "customer_group_id, " + customerColumns, Table: "customers", Column: "id",
	})+") AS customers"+orderBy(t.customerKeys(o), o.Descending), storeKey, idText(ids))
	if err != nil {
		return nil, err
	}
	size := 0
	err = txn.Each(rows, scanCustomer, func(c cohort.Customer) bool {
		batch = append(batch, c)
		size += sizeOf(c)
		return size < customerBatchBytes
	})
	return batch, err
}

// sizeOf returns the bytes of the longer texts of a customer.
func sizeOf(c cohort.Customer) int {
	return len(c.Notes) + len(c.Company) + len(c.TaxExemptCategory) + len(c.RegistrationIPAddress)
}

// customerKeys returns the columns that an order sorts by. Each order has an index.
func (t *Tx) customerKeys(o cohort.CustomerOrder) []sortKey {
	switch o.By {
	case cohort.SortByDateCreated:
		return []sortKey{{column: "date_created"}, {column: "id"}}
	case cohort.SortByDateModified:
		return []sortKey{{column: "date_modified"}, {column: "id"}}
	case cohort.SortByLastName:
		return []sortKey{{column: "lower(last_name" + t.SQL().ByteOrder + ")", isText: true}, {column: "id"}}
	}
	return byID
}

// customerIDs returns the ids of a page in order. For a page with a cursor it returns
// one more if there is one: the last for a page after a cursor, the first for a page
// before one.
func (t *Tx) customerIDs(storeKey string, f cohort.CustomerFilter, o cohort.CustomerOrder, p cohort.Page) ([]int64, error) {
	if onlyGroups(f) && o == (cohort.CustomerOrder{}) && p.Number == 1 {
		return t.memberIDs(storeKey, f.GroupIDs, p)
	}
	dates, err := t.datesFor(storeKey, f, o)
	if err != nil {
		return nil, err
	}
	w, err := t.fromCustomers(storeKey, f, dates)
	if err != nil {
		return nil, err
	}
	most := p.Size
	if p.After != "" || p.Before != "" {
		p.Size++
		most++
	}
	keys := t.customerKeys(o)
	if f.Scans() && o.By != cohort.SortByID {
		// The rows are faster to read by id and then sort than in another order.
		keys[0].column = t.SQL().NoIndex + keys[0].column
	}
	if err := w.directedPage(p, most, keys, o.Descending); err != nil {
		return nil, err
	}
	// The outer query counts the rows, so it has all of them before it returns one.
	list := make([]sortKey, len(keys))
	names := []string{"sort_1", "sort_2"}
	columns := ""
	for i, k := range keys {
		list[i].column = names[i]
		columns += ", " + k.column + " AS " + names[i]
	}
	rows, err := t.Query("SELECT id, count(*) OVER () FROM (SELECT id"+columns+w.text.String()+") AS page"+orderBy(list, o.Descending), w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (id int64, err error) {
		var all int64
		return id, row.Scan(&id, &all)
	})
}

// fewDated is how many customers the index on a date may find for each page of a list in
// another order. If a filter on the date matches more, its page is expected near the
// beginning of the list.
const fewDated = 10_000

// datesFor returns which indexes on dates a list may use: those of filters that at most
// fewDated customers pass, and that of its order.
func (t *Tx) datesFor(storeKey string, f cohort.CustomerFilter, o cohort.CustomerOrder) (dateColumns, error) {
	dates := indexedDates
	if t.SQL().NoIndex == "" {
		return dates, nil
	}
	for _, d := range []struct {
		sort  cohort.CustomerSort
		dates cohort.TimeRange
		name  *string
	}{{cohort.SortByDateCreated, f.DateCreated, &dates.created}, {cohort.SortByDateModified, f.DateModified, &dates.modified}} {
		if o.By == d.sort || d.dates == (cohort.TimeRange{}) {
			continue
		}
		w := whereStore(storeKey)
		w.timeRange(*d.name, d.dates)
		limit := w.arg(fewDated + 1)
		var n int64
		err := t.QueryRow("SELECT count(*) FROM (SELECT 1 FROM customers"+w.text.String()+" LIMIT CAST("+limit+" AS BIGINT)) AS few", w.args...).Scan(&n)
		if err != nil {
			return dates, err
		}
		if n > fewDated {
			*d.name = t.SQL().NoIndex + *d.name
		}
	}
	return dates, nil
}

// CountCustomersListed is CountCustomers for lists that begin with their total. It looks
// up ids and emails, and reads the counters of groups, where these are the filter.
func (t *Tx) CountCustomersListed(storeKey string, f cohort.CustomerFilter) (n int64, err error) {
	if onlyGroups(f) && !slices.Contains(f.GroupIDs, 0) {
		w := whereStore(storeKey)
		in(w, "group_id", f.GroupIDs)
		err = t.QueryRow("SELECT CAST(coalesce(sum(members), 0) AS BIGINT) FROM member_counts"+w.text.String(), w.args...).Scan(&n)
		return n, err
	}
	dates := indexedDates
	if readsRows(f) {
		if dates, err = t.datesFor(storeKey, f, cohort.CustomerOrder{}); err != nil {
			return 0, err
		}
	}
	w, err := t.fromCustomers(storeKey, f, dates)
	if err != nil {
		return 0, err
	}
	err = t.QueryRow("SELECT count(*)"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// fromCustomers returns the FROM and WHERE clauses of a query for the customers that pass
// a filter. If the filter has ids or emails, the query looks these up one after another,
// even if the planner expects a store to have few customers.
func (t *Tx) fromCustomers(storeKey string, f cohort.CustomerFilter, dates dateColumns) (*where, error) {
	w := &where{}
	if f.Emails != nil {
		ids, err := t.idsOfEmails(storeKey, f.Emails)
		if err != nil {
			return nil, err
		}
		if f.IDs != nil {
			ids = slices.DeleteFunc(ids, func(id int64) bool { return !slices.Contains(f.IDs, id) })
		}
		f.Emails, f.IDs = nil, ids
	}
	w.arg(storeKey)
	if f.IDs == nil {
		w.text.WriteString(" FROM customers WHERE store_hash = $1")
		w.inOrderOfIDs(f, dates)
		t.customersPass(w, f, dates)
		return w, nil
	}
	ids := slices.Clone(f.IDs)
	slices.Sort(ids)
	w.arg(idText(slices.Compact(ids)))
	f.IDs = nil
	t.customersPass(w, f, dates)
	lookup := t.rowsOf(txn.LookupBy{
		Columns: "id, date_created, date_modified, last_name", Table: "customers", Column: "id", Condition: w.text.String(),
	})
	w.text.Reset()
	w.text.WriteString(" FROM (" + lookup + ") AS customers WHERE TRUE")
	return w, nil
}

// idsOfEmails returns the ids of the customers with one of the emails.
func (t *Tx) idsOfEmails(storeKey string, emails []string) ([]int64, error) {
	w := whereStore(storeKey)
	in(w, "email_folded", foldAll(emails))
	rows, err := t.Query("SELECT id FROM customers"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	ids, err := txn.Collect(rows, scanID)
	return append([]int64{}, ids...), err // not nil, which would mean no filter
}

// onlyGroups reports whether a filter has a list of groups and nothing else.
func onlyGroups(f cohort.CustomerFilter) bool {
	if f.GroupIDs == nil {
		return false
	}
	f.GroupIDs = nil
	return f.IsEmpty()
}
