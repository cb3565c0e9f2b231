package db

import (
	"database/sql"
	"errors"

	"cohort.example/cohort"
)

const storeColumns = "hash, plan, quota, at_once, date_created"

// InsertStore adds a store. It returns KindConflict if the hash is taken.
func (t *Tx) InsertStore(s cohort.Store) error {
	_, err := t.exec("INSERT INTO stores ("+storeColumns+") VALUES ($1, $2, $3, $4, $5)",
		s.Hash, s.Plan, s.Quota, s.AtOnce, s.DateCreated.UnixMilli())
	return err
}

// Store returns a store, or KindNotFound.
func (t *Tx) Store(hash string) (cohort.Store, error) {
	s, err := scanStore(t.queryRow("SELECT "+storeColumns+" FROM stores WHERE hash = $1", hash))
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
	n, err := t.exec("UPDATE stores SET plan = $2, quota = $3, at_once = $4 WHERE hash = $1",
		s.Hash, s.Plan, s.Quota, s.AtOnce)
	return mustChange(n, err, "store "+s.Hash)
}

// DeleteStore deletes a store and everything in it, or returns KindNotFound.
func (t *Tx) DeleteStore(hash string) error {
	n, err := t.exec("DELETE FROM stores WHERE hash = $1", hash)
	return mustChange(n, err, "store "+hash)
}

func scanStore(row scanner) (cohort.Store, error) {
	var s cohort.Store
	var created int64
	err := row.Scan(&s.Hash, &s.Plan, &s.Quota, &s.AtOnce, &created)
	s.DateCreated = fromMillis(created)
	return s, err
}

// NextID returns the next id of a kind in a store: 1, 2, 3 and so on. An id
// whose transaction fails was never seen and is given out again; one that was
// committed never is.
func (t *Tx) NextID(storeHash, kind string) (int64, error) {
	var id int64
	err := t.queryRow(`INSERT INTO counters (store_hash, kind, last_id) VALUES ($1, $2, 1)
		ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = counters.last_id + 1
		RETURNING last_id`, storeHash, kind).Scan(&id)
	return id, err
}

// mustChange is for statements that change one row: none changed means that
// there is no such thing.
func mustChange(n int64, err error, what string) error {
	if err == nil && n == 0 {
		return cohort.NotFound(what)
	}
	return err
}
