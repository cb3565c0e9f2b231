package db

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const brandColumns = "id, name, details"

// CreateBrand is InsertBrand with the next id of the store. It returns the brand with the
// id.
func (t *Tx) CreateBrand(storeKey string, b cohort.Brand) (cohort.Brand, error) {
	var err error
	if b.ID, err = t.NextID(storeKey, "brand"); err != nil {
		return b, err
	}
	return b, t.InsertBrand(storeKey, b)
}

// InsertBrand adds a brand under its id. The commit returns KindConflict if another brand
// has its name.
func (t *Tx) InsertBrand(storeKey string, b cohort.Brand) error {
	err := t.Later("INSERT INTO brands (store_hash, name_folded, page_title, "+brandColumns+") VALUES ($1, $2, $3, $4, $5, $6)",
		storeKey, Fold(b.Name), b.Details.Text("page_title", ""), b.ID, b.Name, encodeDetails(b.Details))
	if err != nil {
		return err
	}
	return t.recordBrand(storeKey, nil, b)
}

// Brand returns a brand of the store, or KindNotFound.
func (t *Tx) Brand(storeKey string, id int64) (cohort.Brand, error) {
	return t.brand(storeKey, id, "")
}

// BrandForUpdate is Brand with a row lock: no other transaction writes the row until this
// one ends.
func (t *Tx) BrandForUpdate(storeKey string, id int64) (cohort.Brand, error) {
	return t.brand(storeKey, id, t.SQL().ForUpdate)
}

func (t *Tx) brand(storeKey string, id int64, lock string) (cohort.Brand, error) {
	b, err := scanBrand(t.Lookup("SELECT "+brandColumns+" FROM brands WHERE store_hash = $1 AND id = $2"+lock, storeKey, id))
	if errors.Is(err, txn.ErrNoRows) {
		return b, cohort.NotFound(brandName(id))
	}
	return b, err
}

// LockBrandNames takes the exclusive lock on the names of the store's brands until the
// transaction ends.
func (t *Tx) LockBrandNames(storeKey string) error { return t.LockStore(brandNames, storeKey) }

// BrandIDByName returns the id of the brand with the name, without regard to case, or 0.
func (t *Tx) BrandIDByName(storeKey, name string) (int64, error) {
	return t.findID("SELECT id FROM brands WHERE store_hash = $1 AND name_folded = $2", storeKey, Fold(name))
}

// ReadBrands calls fn with the brands of a page that pass the filter, in an order, until
// fn returns false.
func (t *Tx) ReadBrands(storeKey string, f cohort.BrandFilter, o cohort.BrandOrder, p cohort.Page, fn func(cohort.Brand) (more bool)) error {
	keys := byID
	if o.By == cohort.SortBrandsByName {
		keys = []sortKey{{column: "lower(name" + t.SQL().ByteOrder + ")", isText: true}, {column: "id"}}
	}
	return listing[cohort.Brand]{
		columns: brandColumns, table: "brands", where: func() *where { return whereBrands(storeKey, f) },
		keys: keys, descending: o.Descending, scan: scanBrand,
	}.each(t, p, p.Size, fn)
}

// CountBrands returns how many brands pass the filter.
func (t *Tx) CountBrands(storeKey string, f cohort.BrandFilter) (n int64, err error) {
	w := whereBrands(storeKey, f)
	err = t.QueryRow("SELECT count(*) FROM brands"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereBrands(storeKey string, f cohort.BrandFilter) *where {
	w := whereStore(storeKey)
	in(w, "id", f.IDs)
	notIn(w, "id", f.NotIDs)
	w.intRange("id", f.IDRange)
	w.name(f.Name, f.NameLike)
	if f.PageTitle != nil {
		w.and("page_title = ?", *f.PageTitle)
	}
	return w
}

// UpdateBrand overwrites the brand with the same id, or returns KindNotFound. It returns
// KindConflict as InsertBrand does. before is the brand as read in this transaction.
func (t *Tx) UpdateBrand(storeKey string, before, b cohort.Brand) error {
	n, err := t.Exec("UPDATE brands SET name = $3, name_folded = $4, page_title = $5, details = $6 WHERE store_hash = $1 AND id = $2",
		storeKey, b.ID, b.Name, Fold(b.Name), b.Details.Text("page_title", ""), encodeDetails(b.Details))
	if err := requireRow(n, err, brandName(b.ID)); err != nil {
		return err
	}
	return t.recordBrand(storeKey, &before, b)
}

// DeleteBrand deletes a brand, or returns KindNotFound.
func (t *Tx) DeleteBrand(storeKey string, id int64) error {
	n, err := t.deleteBrands(storeKey, []int64{id})
	return requireRow(n, err, brandName(id))
}

// DeleteBrands deletes the brands that pass the filter.
func (t *Tx) DeleteBrands(storeKey string, f cohort.BrandFilter) error {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		if err != nil {
			return err
		}
		return t.deleteBrandRows(storeKey, f)
	}
	w := whereBrands(storeKey, f)
	ids, err := t.findIDs("SELECT id FROM brands"+w.text.String()+" ORDER BY id"+t.SQL().ForUpdate, w.args...)
	for chunk := range slices.Chunk(ids, deletedAtOnce) {
		if _, err := t.deleteBrands(storeKey, chunk); err != nil {
			return err
		}
	}
	return err
}

// deleteBrands deletes brands, records the deletion of each, and returns their number.
func (t *Tx) deleteBrands(storeKey string, ids []int64) (int64, error) {
	w := whereStore(storeKey)
	in(w, "id", ids)
	rows, err := t.Query("DELETE FROM brands"+w.text.String()+" RETURNING "+brandColumns, w.args...)
	if err != nil {
		return 0, err
	}
	deleted, err := txn.Collect(rows, scanBrand)
	if err != nil {
		return 0, err
	}
	slices.SortFunc(deleted, func(a, b cohort.Brand) int { return cmp.Compare(a.ID, b.ID) })
	return int64(len(deleted)), t.recordDeletedBrands(storeKey, deleted)
}

// deleteBrandRows is DeleteBrands without events.
func (t *Tx) deleteBrandRows(storeKey string, f cohort.BrandFilter) error {
	w := whereBrands(storeKey, f)
	return t.Later("DELETE FROM brands"+w.text.String(), w.args...)
}

func brandName(id int64) string { return fmt.Sprintf("brand %d", id) }

func scanBrand(row txn.Scanner) (b cohort.Brand, err error) {
	var details string
	if err := row.Scan(&b.ID, &b.Name, &details); err != nil {
		return b, err
	}
	b.Details, err = decodeDetails(details)
	return b, err
}
