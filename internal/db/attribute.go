package db

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const attributeColumns = "id, name, type, date_created, date_modified"

// CreateAttributes adds attributes with the next ids of the store, and returns them with
// their ids. The caller holds LockAttributes.
func (t *Tx) CreateAttributes(storeKey string, attributes []cohort.Attribute) ([]cohort.Attribute, error) {
	first, err := t.ReserveIDs(storeKey, "customer_attribute", 0, int64(len(attributes)))
	if err != nil {
		return nil, err
	}
	created := make([]cohort.Attribute, len(attributes))
	for i, a := range attributes {
		a.ID = first + int64(i)
		created[i] = a
	}
	if err := t.putAttributes(storeKey, created, ""); err != nil {
		return nil, err
	}
	return created, t.recordAttributes(storeKey, cohort.AttributeCreated, created, noAttribute, attributeFieldValues)
}

// UpdateAttributes overwrites the attributes with the same ids, except their types and
// creation dates. The caller has locked them with AttributesForUpdate, which returned before.
func (t *Tx) UpdateAttributes(storeKey string, before map[int64]cohort.Attribute, attributes []cohort.Attribute) error {
	err := t.putAttributes(storeKey, attributes, ` ON CONFLICT (store_hash, id) DO UPDATE SET
		name = excluded.name, name_folded = excluded.name_folded, date_modified = excluded.date_modified`)
	if err != nil {
		return err
	}
	stored := func(a cohort.Attribute) fieldValues { return attributeFieldValues(before[a.ID]) }
	return t.recordAttributes(storeKey, cohort.AttributeUpdated, attributes, stored, attributeFieldValues)
}

func (t *Tx) putAttributes(storeKey string, attributes []cohort.Attribute, onConflict string) error {
	rows := make([][]any, len(attributes))
	for i, a := range attributes {
		rows[i] = []any{Fold(a.Name), a.ID, a.Name, string(a.Type), a.DateCreated.UnixMilli(), a.DateModified.UnixMilli()}
	}
	return t.insertValues(storeKey, "customer_attributes", "name_folded, "+attributeColumns, rows, onConflict)
}

// LockAttributes keeps other transactions from adding attributes to the store until this
// one ends, so that the number of attributes can be checked.
func (t *Tx) LockAttributes(storeKey string) error { return t.LockStore(attributes, storeKey) }

// ReadAttributes calls fn with the attributes of a page that pass the filter, ordered by
// id, until fn returns false.
func (t *Tx) ReadAttributes(storeKey string, f cohort.AttributeFilter, p cohort.Page, fn func(cohort.Attribute) (more bool)) error {
	return listing[cohort.Attribute]{
		columns: attributeColumns, table: "customer_attributes", where: func() *where { return whereAttributes(storeKey, f) },
		keys: byID, scan: scanAttribute,
	}.each(t, p, p.Size, fn)
}

// CountAttributes returns how many attributes pass the filter.
func (t *Tx) CountAttributes(storeKey string, f cohort.AttributeFilter) (n int64, err error) {
	w := whereAttributes(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM customer_attributes"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// AttributesForUpdate returns those of the attributes that exist, by id, and locks their
// rows: no other transaction writes them until this one ends.
func (t *Tx) AttributesForUpdate(storeKey string, ids []int64) (map[int64]cohort.Attribute, error) {
	return t.attributes(storeKey, ids, t.SQL().ForUpdate)
}

// HoldAttributes returns those of the attributes that exist, by id, and keeps them from
// being deleted until the transaction ends.
func (t *Tx) HoldAttributes(storeKey string, ids []int64) (map[int64]cohort.Attribute, error) {
	return t.attributes(storeKey, ids, t.SQL().ForKeyShare)
}

// DeleteAttributes deletes attributes by their ids, and ignores ids of none. From the
// commit on, reads do not see the attributes and their values. SweepAttributes deletes
// the rows.
func (t *Tx) DeleteAttributes(storeKey string, ids []int64, now time.Time) error {
	// Waits for transactions that write values of the attributes.
	deleted, err := t.attributes(storeKey, ids, t.SQL().ForDelete)
	if err != nil || len(deleted) == 0 {
		return err
	}
	w := whereStore(storeKey)
	in(w, "id", ids)
	set := "UPDATE customer_attributes SET date_deleted = " + w.arg(now.UnixMilli())
	if err := t.Later(set+w.text.String()+" AND date_deleted = 0", w.args...); err != nil {
		return err
	}
	list := slices.SortedFunc(maps.Values(deleted), func(a, b cohort.Attribute) int { return cmp.Compare(a.ID, b.ID) })
	return t.recordAttributes(storeKey, cohort.AttributeDeleted, list, attributeFieldValues, noAttribute)
}

// attributes returns attributes by their ids. Rows are locked in the order of the ids.
func (t *Tx) attributes(storeKey string, ids []int64, lock string) (map[int64]cohort.Attribute, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT "+attributeColumns+" FROM customer_attributes"+w.text.String()+
		" AND date_deleted = 0 ORDER BY id"+lock, w.args...)
	if err != nil {
		return nil, err
	}
	list, err := txn.Collect(rows, scanAttribute)
	byID := make(map[int64]cohort.Attribute, len(list))
	for _, a := range list {
		byID[a.ID] = a
	}
	return byID, err
}

func whereAttributes(storeKey string, f cohort.AttributeFilter) *where {
	w := whereStore(storeKey)
	w.text.WriteString(" AND date_deleted = 0")
	w.name(f.Name, f.NameLike)
	in(w, "type", f.Types)
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}

func scanAttribute(row txn.Scanner) (cohort.Attribute, error) {
	var a cohort.Attribute
	var kind string
	var created, modified int64
	err := row.Scan(&a.ID, &a.Name, &kind, &created, &modified)
	a.Type = cohort.AttributeType(kind)
	a.DateCreated, a.DateModified = fromMillis(created), fromMillis(modified)
	return a, err
}

// SweepAttributes deletes up to limit values of one deleted attribute, and after the last
// one the row of the attribute. It reports whether there may be more to do. Several nodes
// may call it concurrently.
func (t *Tx) SweepAttributes(limit int64) (more bool, err error) {
	store, numbers, found, err := t.takeForSweep("customer_attributes", "date_deleted > 0", "id")
	if err != nil || !found {
		return false, err
	}
	id := numbers[0]
	// It does not wait for values that another transaction deletes with their customers,
	// because that one may wait for values of this batch.
	lock := t.SQL().ForDelete + t.SQL().SkipLocked
	rows, err := t.Query(`SELECT id FROM customer_attribute_values WHERE store_hash = $1 AND attribute_id = $2
		ORDER BY id LIMIT CAST($3 AS BIGINT)`+lock, store, id, limit)
	if err != nil {
		return false, err
	}
	batch, err := txn.Collect(rows, scanID)
	if err != nil {
		return false, err
	}
	if len(batch) > 0 {
		w := whereStore(store)
		in(w, "id", batch)
		if err := t.Later("DELETE FROM customer_attribute_values"+w.text.String(), w.args...); err != nil {
			return false, err
		}
	}
	left, err := t.findID("SELECT id FROM customer_attribute_values WHERE store_hash = $1 AND attribute_id = $2 LIMIT 1", store, id)
	if err != nil || left != 0 {
		return true, err
	}
	// There may be another deleted attribute.
	return true, t.Later("DELETE FROM customer_attributes WHERE store_hash = $1 AND id = $2 AND date_deleted > 0", store, id)
}
