package db

import (
	"errors"
	"slices"
	"time"

	"cohort.example/cohort/internal/txn"
)

// sweepChunk is how many rows of a deleted store one statement deletes. Rows that
// refer to them are deleted before, so that a statement takes a millisecond or so.
const sweepChunk = 100

// sweptTables returns the tables that hold rows of stores, each before those that
// it refers to. Receipts are left out: a node that has lost a connection may still ask
// for them, and they go by their age.
func sweptTables() []table {
	var swept []table
	for _, t := range slices.Backward(copied) {
		if slices.ContainsFunc(t.columns, func(c column) bool { return c.name == "store_hash" }) {
			swept = append(swept, t)
		}
	}
	return swept
}

// IsSmallStore reports whether a store has so few rows that to delete them all at
// once holds nobody up: most of them in all.
func (t *Tx) IsSmallStore(key string, most int) (bool, error) {
	rows := 0
	for _, table := range sweptTables() {
		var n int
		err := t.Lookup("SELECT count(*) FROM (SELECT 1 FROM "+table.name+" WHERE store_hash = $1 LIMIT CAST($2 AS BIGINT)) AS counted",
			key, most+1-rows).Scan(&n)
		if rows += n; err != nil || rows > most {
			return false, err
		}
	}
	return true, nil
}

// DeletedStore is a store that is deleted and has rows yet.
type DeletedStore struct {
	Key         string
	DateDeleted time.Time
}

// DeletedStores returns the stores that are left to SweepStore, the longest
// deleted first.
func (t *Tx) DeletedStores() ([]DeletedStore, error) {
	rows, err := t.Query("SELECT hash, date_deleted FROM stores WHERE date_deleted > 0 ORDER BY date_deleted")
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (s DeletedStore, err error) {
		var deleted int64
		err = row.Scan(&s.Key, &deleted)
		s.DateDeleted = fromMillis(deleted)
		return s, err
	})
}

// SweepStore deletes rows of a deleted store until enough says so, which is asked
// with how many are deleted by now, and at last the store's own. It returns how
// many it has deleted and whether there are more. It can be done twice, and by
// several nodes at once.
func (t *Tx) SweepStore(key string, enough func(rows int64) bool) (rows int64, more bool, err error) {
	for _, table := range sweptTables() {
		for {
			left, err := t.hasRows(table, key)
			if err != nil {
				return rows, true, err
			}
			if !left {
				break
			}
			if rows > 0 && enough(rows) {
				return rows, true, nil
			}
			n, err := t.Exec(t.SQL().DeleteSome(table.name, table.key), key, sweepChunk)
			if err != nil {
				return rows, true, err
			}
			rows += n
		}
	}
	_, err = t.Exec("DELETE FROM stores WHERE hash = $1 AND date_deleted > 0", key)
	return rows, err != nil, err
}

func (t *Tx) hasRows(table table, key string) (bool, error) {
	var one int
	err := t.Lookup("SELECT 1 FROM "+table.name+" WHERE store_hash = $1 LIMIT 1", key).Scan(&one)
	if errors.Is(err, txn.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
