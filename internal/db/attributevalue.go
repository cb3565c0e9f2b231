package db

import (
	"cmp"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const attributeValueColumns = "id, customer_id, attribute_id, value, date_created, date_modified"

// ofAttribute is a condition on values: their attribute is not deleted. $1 is the
// store's key.
const ofAttribute = " AND attribute_id NOT IN (SELECT id FROM customer_attributes WHERE store_hash = $1 AND date_deleted > 0)"

// PutAttributeValues sets values of attributes of customers. Values with the id 0 get
// the next ids of the store. If a customer has a value of the attribute already, its row
// is overwritten, except its id and creation date. No two values may have the same
// customer and attribute. before are the values of these customers and attributes, as read
// in this transaction.
//
// The caller holds the attributes with HoldAttributes. The commit returns KindNotFound
// if a customer does not exist.
func (t *Tx) PutAttributeValues(storeKey string, values, before []cohort.AttributeValue) error {
	values = slices.SortedFunc(slices.Values(values), compareAttributeValues)
	if err := t.numberAttributeValues(storeKey, values); err != nil {
		return err
	}
	rows := make([][]any, len(values))
	for i, v := range values {
		rows[i] = []any{v.ID, v.CustomerID, v.AttributeID, v.Value, v.DateCreated.UnixMilli(), v.DateModified.UnixMilli()}
	}
	err := t.insertValues(storeKey, "customer_attribute_values", attributeValueColumns, rows, `
		ON CONFLICT (store_hash, customer_id, attribute_id) DO UPDATE SET value = excluded.value, date_modified = excluded.date_modified`)
	if err != nil {
		return err
	}
	return t.recordAttributeValues(storeKey, values, before)
}

// compareAttributeValues is the order in which rows are written, to avoid a deadlock
// between two transactions that write the same values.
func compareAttributeValues(a, b cohort.AttributeValue) int {
	return cmp.Or(cmp.Compare(a.CustomerID, b.CustomerID), cmp.Compare(a.AttributeID, b.AttributeID))
}

func (t *Tx) numberAttributeValues(storeKey string, values []cohort.AttributeValue) error {
	fresh := int64(0)
	for _, v := range values {
		if v.ID == 0 {
			fresh++
		}
	}
	if fresh == 0 {
		return nil
	}
	next, err := t.ReserveIDs(storeKey, "customer_attribute_value", 0, fresh)
	for i := range values {
		if values[i].ID == 0 {
			values[i].ID = next
			next++
		}
	}
	return err
}

// AttributeValuesForUpdate returns the values of these attributes of these customers,
// ordered by id, and locks their rows: no other transaction writes or deletes them until
// this one ends.
func (t *Tx) AttributeValuesForUpdate(storeKey string, customerIDs, attributeIDs []int64) ([]cohort.AttributeValue, error) {
	w := whereAttributeValues(storeKey, cohort.AttributeValueFilter{CustomerIDs: customerIDs, AttributeIDs: attributeIDs})
	return t.attributeValues(w, orderBy(byUnindexedID, false)+t.SQL().ForUpdate)
}

// ReadAttributeValues calls fn with the values of a page that pass the filter, ordered
// by id, until fn returns false.
func (t *Tx) ReadAttributeValues(storeKey string, f cohort.AttributeValueFilter, p cohort.Page, fn func(cohort.AttributeValue) (more bool)) error {
	keys := byID
	if f.CustomerIDs != nil {
		keys = byUnindexedID
	}
	return listing[cohort.AttributeValue]{
		columns: attributeValueColumns, table: "customer_attribute_values",
		where: func() *where { return whereAttributeValues(storeKey, f) }, keys: keys, scan: scanAttributeValue,
	}.each(t, p, p.Size, fn)
}

// CountAttributeValues returns how many values pass the filter.
func (t *Tx) CountAttributeValues(storeKey string, f cohort.AttributeValueFilter) (n int64, err error) {
	w := whereAttributeValues(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM customer_attribute_values"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// AttributeValuesOfCustomers returns the values of each customer, ordered by id, at most
// the first most of each.
func (t *Tx) AttributeValuesOfCustomers(storeKey string, customerIDs []int64, most int) (map[int64][]cohort.AttributeValue, error) {
	w := whereAttributeValues(storeKey, cohort.AttributeValueFilter{CustomerIDs: customerIDs})
	limit := w.arg(most)
	rows, err := t.Query("SELECT "+attributeValueColumns+" FROM (SELECT "+attributeValueColumns+
		", row_number() OVER (PARTITION BY customer_id ORDER BY id) AS place FROM customer_attribute_values"+w.text.String()+
		") AS numbered WHERE place <= CAST("+limit+" AS BIGINT) ORDER BY id", w.args...)
	if err != nil {
		return nil, err
	}
	values, err := txn.Collect(rows, scanAttributeValue)
	of := make(map[int64][]cohort.AttributeValue, len(customerIDs))
	for _, v := range values {
		of[v.CustomerID] = append(of[v.CustomerID], v)
	}
	return of, err
}

// AttributeCounts returns how many values each customer has. Customers without values
// are missing.
func (t *Tx) AttributeCounts(storeKey string, customerIDs []int64) (map[int64]int64, error) {
	w := whereAttributeValues(storeKey, cohort.AttributeValueFilter{CustomerIDs: customerIDs})
	return t.counts("SELECT customer_id, count(*) FROM customer_attribute_values"+w.text.String()+" GROUP BY customer_id", w.args)
}

// counts returns the rows of a query for ids and numbers.
func (t *Tx) counts(query string, args []any) (map[int64]int64, error) {
	rows, err := t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	type count struct{ id, number int64 }
	list, err := txn.Collect(rows, func(row txn.Scanner) (c count, err error) { return c, row.Scan(&c.id, &c.number) })
	counts := make(map[int64]int64, len(list))
	for _, c := range list {
		counts[c.id] = c.number
	}
	return counts, err
}

// DeleteAttributeValues deletes values by their ids, and ignores ids of none. It locks
// their customers first.
func (t *Tx) DeleteAttributeValues(storeKey string, ids []int64) error {
	if err := t.lockOwners(storeKey, "customer_attribute_values", ids); err != nil {
		return err
	}
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(ids)), inChunk) {
		// Rows are locked in the order of their ids, as AttributeValuesForUpdate does.
		w := whereStore(storeKey)
		in(w, "id", chunk)
		locked := "SELECT id FROM customer_attribute_values" + w.text.String() + " ORDER BY id" + t.SQL().ForDelete
		// Not Later: updates that send nothing before their end may share a transaction,
		// and together they would lock the rows in no order.
		if err := t.deleteValues(storeKey, "DELETE FROM customer_attribute_values WHERE store_hash = $1 AND id IN ("+locked+")", w.args); err != nil {
			return err
		}
	}
	return nil
}

// deleteValues runs a statement that deletes values.
func (t *Tx) deleteValues(storeKey, query string, args []any) error {
	on, err := t.recordsFor(storeKey)
	if err != nil {
		return err
	}
	if !on {
		_, err := t.Exec(query, args...)
		return err
	}
	// The values of a deleted attribute are gone already for everyone but the sweep.
	deleted, err := t.findIDs("SELECT id FROM customer_attributes WHERE store_hash = $1 AND date_deleted > 0", storeKey)
	if err != nil {
		return err
	}
	rows, err := t.Query(query+" RETURNING "+attributeValueColumns, args...)
	if err != nil {
		return err
	}
	values, err := txn.Collect(rows, scanAttributeValue)
	if err != nil {
		return err
	}
	values = slices.DeleteFunc(values, func(v cohort.AttributeValue) bool { return slices.Contains(deleted, v.AttributeID) })
	slices.SortFunc(values, func(a, b cohort.AttributeValue) int { return cmp.Compare(a.ID, b.ID) })
	return t.recordDeletedValues(storeKey, values)
}

func (t *Tx) attributeValues(w *where, end string) ([]cohort.AttributeValue, error) {
	rows, err := t.Query("SELECT "+attributeValueColumns+" FROM customer_attribute_values"+w.text.String()+end, w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanAttributeValue)
}

func whereAttributeValues(storeKey string, f cohort.AttributeValueFilter) *where {
	w := whereStore(storeKey)
	w.text.WriteString(ofAttribute)
	in(w, "id", f.IDs)
	in(w, "customer_id", f.CustomerIDs)
	in(w, "attribute_id", f.AttributeIDs)
	in(w, "value", f.Values)
	if f.AttributeName != nil {
		w.and("attribute_id IN (SELECT id FROM customer_attributes WHERE store_hash = $1 AND name = ?)", *f.AttributeName)
	}
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}

func scanAttributeValue(row txn.Scanner) (cohort.AttributeValue, error) {
	var v cohort.AttributeValue
	var created, modified int64
	err := row.Scan(&v.ID, &v.CustomerID, &v.AttributeID, &v.Value, &created, &modified)
	v.DateCreated, v.DateModified = fromMillis(created), fromMillis(modified)
	return v, err
}
