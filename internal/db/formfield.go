package db

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const (
	formFieldColumns = "id, customer_id, address_id, name, type, value"
	// formFieldReads reads formFieldColumns, with 0 for the owner that a field does not have.
	formFieldReads = "id, coalesce(customer_id, 0), coalesce(address_id, 0), name, type, value"
)

// PutFormFields sets fields of customers and of addresses, with one statement for each
// of the two. Fields with the id 0 get the next ids of the store. If the owner has a
// field of the name already, its value is overwritten. No two fields may have the same
// owner and name. The commit returns KindNotFound if an owner does not exist. The caller has
// locked the owners.
func (t *Tx) PutFormFields(storeKey string, fields []cohort.FormField) error {
	fields = slices.Clone(fields)
	before, customerOf, err := t.formFieldsBefore(storeKey, fields)
	if err != nil {
		return err
	}
	if err := t.numberFormFields(storeKey, fields); err != nil {
		return err
	}
	slices.SortFunc(fields, compareFormFields)
	// Fields of addresses have the customer 0, so they are first.
	ofCustomers, _ := slices.BinarySearchFunc(fields, 1, func(f cohort.FormField, id int64) int { return cmp.Compare(f.CustomerID, id) })
	if err := t.putFormFields(storeKey, fields[ofCustomers:], "customer_id"); err != nil {
		return err
	}
	if err := t.putFormFields(storeKey, fields[:ofCustomers], "address_id"); err != nil {
		return err
	}
	return t.recordFormFields(storeKey, fields, before, customerOf)
}

// compareFormFields is the order in which rows are written, to avoid a deadlock between
// two transactions that write the same fields.
func compareFormFields(a, b cohort.FormField) int {
	return cmp.Or(cmp.Compare(a.CustomerID, b.CustomerID), cmp.Compare(a.AddressID, b.AddressID), cmp.Compare(a.Name, b.Name))
}

func (t *Tx) putFormFields(storeKey string, fields []cohort.FormField, owner string) error {
	rows := make([][]any, len(fields))
	for i, f := range fields {
		value, err := formValueText(f.Value)
		if err != nil {
			return err
		}
		rows[i] = []any{f.ID, idOrNull(f.CustomerID), idOrNull(f.AddressID), f.Name, string(f.Value.Type), value}
	}
	return t.insertValues(storeKey, "customer_form_fields", formFieldColumns, rows,
		" ON CONFLICT (store_hash, "+owner+", name) DO UPDATE SET type = excluded.type, value = excluded.value")
}

func (t *Tx) numberFormFields(storeKey string, fields []cohort.FormField) error {
	fresh := int64(0)
	for _, f := range fields {
		if f.ID == 0 {
			fresh++
		}
	}
	if fresh == 0 {
		return nil
	}
	next, err := t.ReserveIDs(storeKey, "customer_form_field", 0, fresh)
	for i := range fields {
		if fields[i].ID == 0 {
			fields[i].ID = next
			next++
		}
	}
	return err
}

func idOrNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// ReadFormFields calls fn with the fields of a page that pass the filter, ordered by id,
// until fn returns false.
func (t *Tx) ReadFormFields(storeKey string, f cohort.FormFieldFilter, p cohort.Page, fn func(cohort.FormField) (more bool)) error {
	keys := byID
	if f.CustomerID != 0 || f.AddressID != 0 {
		keys = byUnindexedID
	}
	return listing[cohort.FormField]{
		columns: formFieldReads, table: "customer_form_fields",
		where: func() *where { return whereFormFields(storeKey, f) }, keys: keys, scan: scanFormField,
	}.each(t, p, p.Size, fn)
}

// CountFormFields returns how many fields pass the filter.
func (t *Tx) CountFormFields(storeKey string, f cohort.FormFieldFilter) (n int64, err error) {
	w := whereFormFields(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM customer_form_fields"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

// FormFieldsOfCustomers returns the fields of each customer, ordered by id. A customer
// has at most [cohort.MaxFormFields].
func (t *Tx) FormFieldsOfCustomers(storeKey string, customerIDs []int64) (map[int64][]cohort.FormField, error) {
	return t.formFieldsOf(storeKey, "customer_id", customerIDs, func(f cohort.FormField) int64 { return f.CustomerID })
}

// FormFieldsOfAddresses returns the fields of each address, ordered by id. An address
// has at most [cohort.MaxFormFields].
func (t *Tx) FormFieldsOfAddresses(storeKey string, addressIDs []int64) (map[int64][]cohort.FormField, error) {
	return t.formFieldsOf(storeKey, "address_id", addressIDs, func(f cohort.FormField) int64 { return f.AddressID })
}

func (t *Tx) formFieldsOf(storeKey, owner string, ids []int64, ownerOf func(cohort.FormField) int64) (map[int64][]cohort.FormField, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	lookup := t.rowsOf(txn.LookupBy{Columns: formFieldColumns, Table: "customer_form_fields", Column: owner})
	rows, err := t.Query("SELECT "+formFieldReads+" FROM ("+lookup+") AS fields ORDER BY id", storeKey, idText(ids))
	if err != nil {
		return nil, err
	}
	fields, err := txn.Collect(rows, scanFormField)
	of := make(map[int64][]cohort.FormField, len(ids))
	for _, f := range fields {
		of[ownerOf(f)] = append(of[ownerOf(f)], f)
	}
	return of, err
}

func whereFormFields(storeKey string, f cohort.FormFieldFilter) *where {
	w := whereStore(storeKey)
	if f.CustomerID != 0 {
		w.and("customer_id = ?", f.CustomerID)
	}
	if f.AddressID != 0 {
		w.and("address_id = ?", f.AddressID)
	}
	if f.Name != nil {
		w.and("name = ?", *f.Name)
	}
	if f.Type != "" {
		w.and("type = ?", string(f.Type))
	}
	return w
}

func scanFormField(row txn.Scanner) (cohort.FormField, error) {
	var f cohort.FormField
	var kind, value string
	if err := row.Scan(&f.ID, &f.CustomerID, &f.AddressID, &f.Name, &kind, &value); err != nil {
		return f, err
	}
	var err error
	if f.Value, err = toFormValue(cohort.FormFieldType(kind), value); err != nil {
		return f, fmt.Errorf("value of the form field %d: %w", f.ID, err)
	}
	return f, nil
}

// formValueText is the stored form of a value.
func formValueText(v cohort.FormValue) (string, error) {
	if v.Type != cohort.FormCheckboxes {
		return v.Text, nil
	}
	if v.List == nil {
		return "[]", nil
	}
	list, err := json.Marshal(v.List)
	return string(list), err
}

func toFormValue(kind cohort.FormFieldType, text string) (cohort.FormValue, error) {
	v := cohort.FormValue{Type: kind, Text: text}
	if kind == cohort.FormCheckboxes {
		v.Text = ""
		return v, json.Unmarshal([]byte(text), &v.List)
	}
	return v, nil
}
