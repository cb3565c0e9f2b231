package db

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const priceListColumns = "id, name, active, date_created, date_modified"

// CreatePriceList is InsertPriceList with the next id of the store. It returns the list with
// the id.
func (t *Tx) CreatePriceList(storeKey string, l cohort.PriceList) (cohort.PriceList, error) {
	var err error
	if l.ID, err = t.NextID(storeKey, "price_list"); err != nil {
		return l, err
	}
	return l, t.InsertPriceList(storeKey, l)
}

// InsertPriceList adds a price list under its id. The commit returns KindConflict
// if another list has its name.
func (t *Tx) InsertPriceList(storeKey string, l cohort.PriceList) error {
	err := t.Later("INSERT INTO price_lists (store_hash, name_folded, "+priceListColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)",
		storeKey, Fold(l.Name), l.ID, l.Name, l.Active, l.DateCreated.UnixMilli(), l.DateModified.UnixMilli())
	if err != nil || !t.records() {
		return err
	}
	return t.recordPriceList(storeKey, cohort.PriceListCreated, l.ID, nil, priceListValues(l))
}

// PriceList returns a price list of the store, or KindNotFound.
func (t *Tx) PriceList(storeKey string, id int64) (cohort.PriceList, error) {
	return t.priceList(storeKey, id, "")
}

// PriceListForUpdate is PriceList with a row lock: no other transaction writes the
// row until this one ends.
func (t *Tx) PriceListForUpdate(storeKey string, id int64) (cohort.PriceList, error) {
	return t.priceList(storeKey, id, t.SQL().ForUpdate)
}

// PriceListForDelete is PriceList with the row lock of a DELETE. It waits for
// transactions that assign the list or add records to it, and keeps others from
// doing so until this transaction ends.
func (t *Tx) PriceListForDelete(storeKey string, id int64) (cohort.PriceList, error) {
	return t.priceList(storeKey, id, t.SQL().ForDelete)
}

func (t *Tx) priceList(storeKey string, id int64, lock string) (cohort.PriceList, error) {
	l, err := scanPriceList(t.Lookup("SELECT "+priceListColumns+
		" FROM price_lists WHERE store_hash = $1 AND id = $2"+lock, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return l, cohort.NotFound(priceListName(id))
	}
	return l, err
}

// HasPriceList reports whether the store has a price list with the id, and locks
// the list against deletion until the transaction ends.
func (t *Tx) HasPriceList(storeKey string, id int64) (bool, error) {
	found, err := t.findID("SELECT id FROM price_lists WHERE store_hash = $1 AND id = $2"+t.SQL().ForKeyShare, storeKey, id)
	return found != 0, err
}

// PriceListIDByName returns the id of the price list with exactly this name, or
// 0.
func (t *Tx) PriceListIDByName(storeKey, name string) (int64, error) {
	return t.findID("SELECT id FROM price_lists WHERE store_hash = $1 AND name = $2", storeKey, name)
}

// ReadPriceLists calls fn with the price lists of a page that pass the filter, ordered by
// id, until fn returns false.
func (t *Tx) ReadPriceLists(storeKey string, f cohort.PriceListFilter, p cohort.Page, fn func(cohort.PriceList) (more bool)) error {
	return listing[cohort.PriceList]{
		columns: priceListColumns, table: "price_lists", where: func() *where { return wherePriceLists(storeKey, f) },
		keys: byID, scan: scanPriceList,
	}.each(t, p, p.Size, fn)
}

// ListPriceLists returns the rows that ReadPriceLists reads.
func (t *Tx) ListPriceLists(storeKey string, f cohort.PriceListFilter, p cohort.Page) ([]cohort.PriceList, error) {
	return all(func(fn func(cohort.PriceList) bool) error { return t.ReadPriceLists(storeKey, f, p, fn) })
}

// CountPriceLists returns how many price lists pass the filter.
func (t *Tx) CountPriceLists(storeKey string, f cohort.PriceListFilter) (n int64, err error) {
	w := wherePriceLists(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM price_lists"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func wherePriceLists(storeKey string, f cohort.PriceListFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	w.name(f.Name, f.NameLike)
	w.timeRange("date_created", f.DateCreated)
	w.timeRange("date_modified", f.DateModified)
	return w
}

// UpdatePriceList overwrites the price list with the same id, except its creation
// date, or returns KindNotFound. before is the list as read in this transaction. It returns
// KindConflict as InsertPriceList does.
func (t *Tx) UpdatePriceList(storeKey string, before, l cohort.PriceList) error {
	n, err := t.Exec(`UPDATE price_lists SET name = $3, name_folded = $4, active = $5, date_modified = $6
		WHERE store_hash = $1 AND id = $2`,
		storeKey, l.ID, l.Name, Fold(l.Name), l.Active, l.DateModified.UnixMilli())
	if err := requireRow(n, err, priceListName(l.ID)); err != nil || !t.records() {
		return err
	}
	return t.recordPriceList(storeKey, cohort.PriceListUpdated, l.ID, priceListValues(before), priceListValues(l))
}

// DeletePriceList deletes a price list with its records, or returns KindNotFound.
// PriceListForDelete must be called before. It does not delete the list's assignments.
func (t *Tx) DeletePriceList(storeKey string, id int64) error {
	records, err := t.deleteRecordsToCount(storeKey, id)
	if err != nil {
		return err
	}
	l, err := scanPriceList(t.QueryRow("DELETE FROM price_lists WHERE store_hash = $1 AND id = $2 RETURNING "+priceListColumns, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return cohort.NotFound(priceListName(id))
	}
	if err != nil || !t.records() {
		return err
	}
	return t.recordDeletedPriceList(storeKey, l, records)
}

func priceListName(id int64) string { return fmt.Sprintf("price list %d", id) }

func scanPriceList(row txn.Scanner) (cohort.PriceList, error) {
	var l cohort.PriceList
	var created, modified int64
	err := row.Scan(&l.ID, &l.Name, &l.Active, &created, &modified)
	l.DateCreated, l.DateModified = fromMillis(created), fromMillis(modified)
	return l, err
}
