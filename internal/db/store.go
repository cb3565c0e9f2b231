package db

import (
	"database/sql"
	"errors"

	"cohort.example/cohort"
)

const storeColumns = "hash, plan, quota, at_once, catalog, currency, date_created"

// InsertStore adds a store. It returns KindConflict if the hash is taken.
func (t *Tx) InsertStore(s cohort.Store) error {
	_, err := t.exec("INSERT INTO stores ("+storeColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)",
		s.Hash, s.Plan, s.Quota, s.AtOnce, s.Catalog, s.Currency, s.DateCreated.UnixMilli())
	return err
}

// Store returns a store, or KindNotFound.
func (t *Tx) Store(hash string) (cohort.Store, error) { return t.store(hash, "") }

// StoreForUpdate is Store for one that this transaction is about to write: until
// its end nobody else does.
func (t *Tx) StoreForUpdate(hash string) (cohort.Store, error) {
	return t.store(hash, t.engine.forUpdate)
}

func (t *Tx) store(hash, lock string) (cohort.Store, error) {
	s, err := scanStore(t.lookup("SELECT "+storeColumns+" FROM stores WHERE hash = $1"+lock, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return s, cohort.NotFound("store " + hash)
	}
	return s, err
}

// ListStores returns every store, by hash.
func (t *Tx) ListStores() ([]cohort.Store, error) {
	rows, err := t.query("SELECT " + storeColumns + ` FROM stores ORDER BY hash COLLATE "C"`)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanStore)
}

// UpdateStore writes the settings of a store, or returns KindNotFound.
func (t *Tx) UpdateStore(s cohort.Store) error {
	n, err := t.exec("UPDATE stores SET plan = $2, quota = $3, at_once = $4, catalog = $5, currency = $6 WHERE hash = $1",
		s.Hash, s.Plan, s.Quota, s.AtOnce, s.Catalog, s.Currency)
	return t.note(mustChange(n, err, "store "+s.Hash), Change{Kind: StoreUpdated, StoreHash: s.Hash})
}

// DeleteStore deletes a store and everything in it, or returns KindNotFound. How
// long that takes depends on how much there is; see [DB.UpdateLong].
func (t *Tx) DeleteStore(hash string) error {
	n, err := t.exec("DELETE FROM stores WHERE hash = $1", hash)
	return t.note(mustChange(n, err, "store "+hash), Change{Kind: StoreDeleted, StoreHash: hash})
}

func scanStore(row scanner) (cohort.Store, error) {
	var s cohort.Store
	var created int64
	err := row.Scan(&s.Hash, &s.Plan, &s.Quota, &s.AtOnce, &s.Catalog, &s.Currency, &created)
	s.DateCreated = fromMillis(created)
	return s, err
}

// mustChange is for statements that change one row: none changed means that
// there is no such thing.
func mustChange(n int64, err error, what string) error {
	if err == nil && n == 0 {
		return cohort.NotFound(what)
	}
	return err
}
