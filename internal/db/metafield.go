package db

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const metafieldColumns = "id, customer_id, owner, namespace, name, value, description, permission_set, date_created, date_modified"

// CreateMetafields adds metafields with the next ids of the store and returns them with
// the ids. The commit returns KindConflict if a customer has a metafield with the owner,
// namespace and key.
func (t *Tx) CreateMetafields(storeKey string, list []cohort.Metafield) ([]cohort.Metafield, error) {
	first, err := t.ReserveIDs(storeKey, "customer_metafield", 0, int64(len(list)))
	if err != nil {
		return nil, err
	}
	created := make([]cohort.Metafield, len(list))
	for i, m := range list {
		m.ID = first + int64(i)
		created[i] = m
	}
	query, args := insertMetafields(storeKey, created)
	return created, t.Later(query, args...)
}

// UpdateMetafields overwrites existing metafields, except their customers, owners and
// creation dates. The commit returns KindConflict as that of CreateMetafields does.
func (t *Tx) UpdateMetafields(storeKey string, list []cohort.Metafield) error {
	query, args := insertMetafields(storeKey, list)
	return t.Later(query+` ON CONFLICT (store_hash, id) DO UPDATE SET namespace = excluded.namespace, name = excluded.name,
		value = excluded.value, description = excluded.description, permission_set = excluded.permission_set,
		date_modified = excluded.date_modified`, args...)
}

func insertMetafields(storeKey string, list []cohort.Metafield) (query string, args []any) {
	rows := make([][]any, len(list))
	for i, m := range list {
		rows[i] = []any{
			storeKey, m.ID, m.CustomerID, m.Owner, m.Namespace, m.Key, m.Value, m.Description, string(m.PermissionSet),
			m.DateCreated.UnixMilli(), m.DateModified.UnixMilli(),
		}
	}
	return insertStatement("customer_metafields", "store_hash, "+metafieldColumns, rows)
}

// Metafield returns a metafield of a customer, or KindNotFound.
func (t *Tx) Metafield(storeKey string, customerID, id int64) (cohort.Metafield, error) {
	m, err := scanMetafield(t.Lookup("SELECT "+metafieldColumns+
		" FROM customer_metafields WHERE store_hash = $1 AND id = $2 AND customer_id = $3", storeKey, id, customerID))
	if errors.Is(err, txn.ErrNoRows) {
		return m, cohort.NotFound(fmt.Sprintf("metafield %d of customer %d", id, customerID))
	}
	return m, err
}

// MetafieldsByID returns those of the metafields that exist, by id. It locks their rows
// until the transaction ends.
func (t *Tx) MetafieldsByID(storeKey string, ids []int64) (map[int64]cohort.Metafield, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT "+metafieldColumns+" FROM customer_metafields"+w.text.String()+" ORDER BY id"+t.SQL().ForUpdate, w.args...)
	if err != nil {
		return nil, err
	}
	found := map[int64]cohort.Metafield{}
	return found, txn.Each(rows, scanMetafield, func(m cohort.Metafield) bool { found[m.ID] = m; return true })
}

// CustomersOfMetafields returns the ids of the customers of those of the metafields that
// exist.
func (t *Tx) CustomersOfMetafields(storeKey string, ids []int64) ([]int64, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("SELECT DISTINCT customer_id FROM customer_metafields"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// MetafieldKey identifies a metafield of a store: no two have the same.
type MetafieldKey struct {
	CustomerID            int64
	Owner, Namespace, Key string
}

// KeyOf returns the key of a metafield.
func KeyOf(m cohort.Metafield) MetafieldKey {
	return MetafieldKey{m.CustomerID, m.Owner, m.Namespace, m.Key}
}

// MetafieldKeys returns the ids of all metafields of the customers by their keys.
func (t *Tx) MetafieldKeys(storeKey string, customerIDs []int64) (map[MetafieldKey]int64, error) {
	w := whereStore(storeKey)
	in(w, "customer_id", customerIDs)
	rows, err := t.Query("SELECT id, customer_id, owner, namespace, name FROM customer_metafields"+w.text.String(), w.args...)
	if err != nil {
		return nil, err
	}
	type owned struct {
		MetafieldKey
		id int64
	}
	keys := map[MetafieldKey]int64{}
	return keys, txn.Each(rows, func(row txn.Scanner) (o owned, err error) {
		return o, row.Scan(&o.id, &o.CustomerID, &o.Owner, &o.Namespace, &o.Key)
	}, func(o owned) bool { keys[o.MetafieldKey] = o.id; return true })
}

// ReadMetafields calls fn with the metafields of a page that pass the filter and that a
// token may see, ordered by id, until fn returns false.
func (t *Tx) ReadMetafields(storeKey, client string, f cohort.MetafieldFilter, p cohort.Page, fn func(cohort.Metafield) (more bool)) error {
	return listing[cohort.Metafield]{
		columns: metafieldColumns, table: "customer_metafields",
		where: func() *where { return whereMetafields(storeKey, client, f) }, keys: byID, scan: scanMetafield,
	}.each(t, p, p.Size, fn)
}

// CountMetafields returns how many metafields pass the filter and may be seen.
func (t *Tx) CountMetafields(storeKey, client string, f cohort.MetafieldFilter) (n int64, err error) {
	w := whereMetafields(storeKey, client, f)
	err = t.QueryRow("SELECT count(*) FROM customer_metafields"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereMetafields(storeKey, client string, f cohort.MetafieldFilter) *where {
	w := whereStore(storeKey)
	if f.CustomerID != 0 {
		w.and("customer_id = ?", f.CustomerID)
	}
	w.and("(permission_set <> 'app_only' OR owner = ?)", client)
	in(w, "name", f.Keys)
	in(w, "namespace", f.Namespaces)
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}

// DeleteMetafields deletes metafields.
func (t *Tx) DeleteMetafields(storeKey string, ids []int64) error {
	w := whereStore(storeKey)
	in(w, "id", ids)
	return t.Later("DELETE FROM customer_metafields"+w.text.String(), w.args...)
}

func scanMetafield(row txn.Scanner) (cohort.Metafield, error) {
	var m cohort.Metafield
	var created, modified int64
	err := row.Scan(&m.ID, &m.CustomerID, &m.Owner, &m.Namespace, &m.Key, &m.Value, &m.Description, &m.PermissionSet, &created, &modified)
	m.DateCreated, m.DateModified = fromMillis(created), fromMillis(modified)
	return m, err
}
