package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort/internal/txn"
)

// sweepChunk is the number of rows of a deleted store that one statement deletes.
// Rows that reference them have been deleted before, so a statement takes about a
// millisecond.
const sweepChunk = 100

// sweptTables returns the tables with rows of stores, each before the tables it
// references. It leaves out receipts: a node that has lost a connection may still
// need them, and they are deleted by age.
func sweptTables() []table {
	swept := []table{{name: "event_inbox", key: "store_hash, ticket"}} // it is not copied
	for _, t := range slices.Backward(copied) {
		if slices.ContainsFunc(t.columns, func(c column) bool { return c.name == "store_hash" }) {
			swept = append(swept, t)
		}
	}
	return swept
}

// IsSmallStore reports whether a store with its snapshots has at most most rows in all
// tables, so that one transaction can delete them.
func (t *Tx) IsSmallStore(key string, most int) (bool, error) {
	var rows int
	err := t.Lookup("SELECT CAST(coalesce(sum(row_count), 0) AS BIGINT) FROM snapshots WHERE store_hash = $1", key).Scan(&rows)
	if err != nil || rows > most {
		return false, err
	}
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

// CountStoreRows returns the number of rows of a store that SweepStore would delete.
// It counts every row, so it is slow for a large store.
func (t *Tx) CountStoreRows(key string) (rows int64, err error) {
	for _, table := range sweptTables() {
		var n int64
		if err := t.QueryRow("SELECT count(*) FROM "+table.name+" WHERE store_hash = $1", key).Scan(&n); err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}

// forSweep ends the query of a sweep for the row that says what it has to do. The row stays
// locked until the transaction ends: a restore of the store could otherwise bring back what
// the sweep is about to delete. Rows that another sweep or a restore has locked are left out.
func (t *Tx) forSweep() string { return t.SQL().ForDelete + t.SQL().SkipLocked }

// sweepCandidates is how many rows a sweep looks at, of which others may have locked some.
const sweepCandidates = 16

// takeForSweep returns the key of a store and the numbers of one of the rows that say what a
// sweep has to do, locked until the transaction ends, or found false. table has the rows that
// condition holds for, and columns are its key after store_hash. It locks one row by its key,
// which concerns one server also where stores are on several.
func (t *Tx) takeForSweep(table, condition string, columns ...string) (storeKey string, numbers []int64, found bool, err error) {
	type row struct {
		store   string
		numbers []int64
	}
	names := "store_hash, " + strings.Join(columns, ", ")
	rows, err := t.Query(fmt.Sprintf("SELECT %s FROM %s WHERE %s LIMIT %d", names, table, condition, sweepCandidates))
	if err != nil {
		return "", nil, false, err
	}
	candidates, err := txn.Collect(rows, func(s txn.Scanner) (r row, err error) {
		r.numbers = make([]int64, len(columns))
		into := []any{&r.store}
		for i := range r.numbers {
			into = append(into, &r.numbers[i])
		}
		return r, s.Scan(into...)
	})
	if err != nil {
		return "", nil, false, err
	}
	for _, c := range candidates {
		w := whereStore(c.store)
		for i, column := range columns {
			w.and(column+" = ?", c.numbers[i])
		}
		free, err := t.exists("SELECT 1 FROM "+table+w.text.String()+" AND "+condition+t.forSweep(), w.args...)
		if err != nil || free {
			return c.store, c.numbers, free, err
		}
	}
	return "", nil, false, nil
}

// DeletedStore is a store that is marked as deleted and still has rows, or such a snapshot.
type DeletedStore struct {
	Key         string
	SnapshotOf  string // the key of the store of a snapshot; "": a store
	DateDeleted time.Time
}

// DeletedStores returns the stores that SweepStore has to sweep, the one deleted
// earliest first.
func (t *Tx) DeletedStores() ([]DeletedStore, error) {
	rows, err := t.Query("SELECT hash, coalesce(public_hash, hash), date_deleted FROM stores WHERE date_deleted > 0 ORDER BY date_deleted")
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (s DeletedStore, err error) {
		var deleted int64
		err = row.Scan(&s.Key, &s.SnapshotOf, &deleted)
		if !isSnapshotKey(s.Key) {
			s.SnapshotOf = ""
		}
		s.DateDeleted = fromMillis(deleted)
		return s, err
	})
}

// SweepStore deletes the rows of a deleted store in batches, until there are none or ctx
// ends. It calls progress after each batch with the number of rows deleted so far. It may
// be interrupted and repeated, and several nodes may run it at the same time.
func (db *DB) SweepStore(ctx context.Context, storeKey string, progress func(rows int64)) error {
	b := db.batches()
	var all int64
	for more := true; more; {
		var rows int64
		err := b.do(ctx, func(tx *Tx) (err error) {
			rows, more, err = tx.SweepStore(storeKey, func(rows int64) bool { return rows >= int64(b.rows) })
			return err
		})
		if err != nil {
			return err
		}
		all += rows
		progress(all)
	}
	return nil
}

// SweepStore deletes rows of a deleted store until enough returns true for the number of
// rows deleted so far, and finally the row of the store. It returns the number of deleted
// rows and whether there may be more.
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
