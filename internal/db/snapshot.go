package db

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// hiddenDate is the date_deleted of the row in stores that holds the settings of a snapshot.
const hiddenDate = -1

// maxSmallSnapshot is the largest number of rows that a transaction deletes with the
// snapshot they belong to. SweepStore deletes those of others.
const maxSmallSnapshot = 500

// restoredSettings are the columns of stores that a snapshot holds.
const restoredSettings = "catalog, currency, " + storeProfileColumns

// savedSnapshot is a snapshot with the key of its rows.
type savedSnapshot struct {
	cohort.Snapshot
	key string
}

const snapshotColumns = "name, snapshot_hash, row_count, date_created"

func scanSnapshot(row txn.Scanner) (s savedSnapshot, err error) {
	var created int64
	err = row.Scan(&s.Name, &s.key, &s.Rows, &created)
	s.DateCreated = fromMillis(created)
	return s, err
}

// snapshotKeyPrefix begins the keys of the rows of snapshots, and those of no store.
const snapshotKeyPrefix = "."

func newSnapshotKey() string { return snapshotKeyPrefix + strings.ToLower(rand.Text())[:16] }

func isSnapshotKey(key string) bool { return strings.HasPrefix(key, snapshotKeyPrefix) }

// Snapshots returns the snapshots of a store by name, without that of reset.
func (t *Tx) Snapshots(storeKey string) ([]cohort.Snapshot, error) {
	rows, err := t.Query("SELECT "+snapshotColumns+` FROM snapshots WHERE store_hash = $1 AND name <> '' ORDER BY name COLLATE "C"`, storeKey)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (cohort.Snapshot, error) {
		s, err := scanSnapshot(row)
		return s.Snapshot, err
	})
}

// HasSnapshot reports whether a store has a snapshot with a name.
func (t *Tx) HasSnapshot(storeKey, name string) (bool, error) {
	_, err := t.snapshotOf(storeKey, name)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return false, nil
	}
	return err == nil, err
}

func (t *Tx) snapshotOf(storeKey, name string) (savedSnapshot, error) {
	s, err := scanSnapshot(t.Lookup("SELECT "+snapshotColumns+" FROM snapshots WHERE store_hash = $1 AND name = $2", storeKey, name))
	if errors.Is(err, txn.ErrNoRows) {
		return s, cohort.NotFound(fmt.Sprintf("snapshot %q", name))
	}
	return s, err
}

// SaveSnapshot copies what a store contains into a snapshot, and replaces the one with the
// name. It may follow ClearStore and writes to the store in one transaction; otherwise what
// ClearStore says of contexts and earlier statements holds. Other writers of the store wait
// until the transaction ends.
//
// It returns KindNotFound, KindUnavailable during an import, and KindInvalid for a store with
// more than MaxSnapshotRows, or with MaxSnapshots already.
func (t *Tx) SaveSnapshot(storeKey, name string, at time.Time) (cohort.Snapshot, error) {
	s := savedSnapshot{Snapshot: cohort.Snapshot{Name: name, DateCreated: at.UTC().Truncate(time.Millisecond)}, key: newSnapshotKey()}
	if err := t.holdContent(storeKey, at); err != nil {
		return s.Snapshot, err
	}
	if err := t.makeRoom(storeKey, name, at); err != nil {
		return s.Snapshot, err
	}
	if err := t.sweepAll(storeKey); err != nil {
		return s.Snapshot, err
	}
	filled, rows, err := t.filledTables(storeKey)
	if err != nil {
		return s.Snapshot, err
	}
	s.Rows = rows
	if err := t.insertSnapshot(storeKey, s); err != nil {
		return s.Snapshot, err
	}
	if err := t.copyContent(storeKey, s.key, filled); err != nil {
		return s.Snapshot, err
	}
	return s.Snapshot, t.copyIDs(storeKey, s.key)
}

// SaveNewStore is SaveSnapshot of the snapshot of reset, for a store that this transaction has
// created and that is empty. It reads nothing, so a store of a test is created as fast as
// before.
func (t *Tx) SaveNewStore(st cohort.Store) error {
	return t.insertSnapshot(keyOf(st), savedSnapshot{Snapshot: cohort.Snapshot{DateCreated: st.DateCreated}, key: newSnapshotKey()})
}

// makeRoom deletes the snapshot that another one is about to replace.
func (t *Tx) makeRoom(storeKey, name string, at time.Time) error {
	err := t.DeleteSnapshot(storeKey, name, at)
	if cohort.KindOf(err) != cohort.KindNotFound {
		return err
	}
	var n int
	if err := t.Lookup("SELECT count(*) FROM snapshots WHERE store_hash = $1 AND name <> ''", storeKey).Scan(&n); err != nil {
		return err
	}
	if name != "" && n >= cohort.MaxSnapshots {
		return cohort.Invalid("name", fmt.Sprintf("The store has %d snapshots, as many as a store can have.", n))
	}
	return nil
}

// insertSnapshot adds a snapshot without its rows.
func (t *Tx) insertSnapshot(storeKey string, s savedSnapshot) error {
	err := t.Later(`INSERT INTO stores (hash, public_hash, date_deleted, plan, quota, at_once, date_created, `+restoredSettings+`)
		SELECT CAST($2 AS TEXT), hash, CAST($3 AS BIGINT), plan, quota, at_once, date_created, `+restoredSettings+` FROM stores WHERE hash = $1`,
		storeKey, s.key, hiddenDate)
	if err != nil {
		return err
	}
	return t.Later("INSERT INTO snapshots (store_hash, "+snapshotColumns+") VALUES ($1, $2, $3, $4, $5)",
		storeKey, s.Name, s.key, s.Rows, s.DateCreated.UnixMilli())
}

// copyIDs gives a snapshot the last ids of a store.
func (t *Tx) copyIDs(from, to string) error {
	last, err := t.LastIDs(from)
	if err != nil {
		return err
	}
	for _, kind := range keptIDs {
		delete(last, kind)
	}
	for kind, id := range last {
		if err := t.Later("INSERT INTO counters (store_hash, kind, last_id) VALUES ($1, $2, $3)", to, kind, id); err != nil {
			return err
		}
	}
	return nil
}

// RestoreSnapshot replaces what a store contains, and its catalog mode, currency and profile,
// by a snapshot. It is a ClearStore, and returns the same errors, and KindNotFound for an
// unknown snapshot.
func (t *Tx) RestoreSnapshot(storeKey, name string, at time.Time) (cohort.Snapshot, error) {
	if err := t.LockWriters(storeKey); err != nil { // DeleteSnapshot takes it too
		return cohort.Snapshot{}, err
	}
	s, err := t.snapshotOf(storeKey, name)
	if err != nil {
		return cohort.Snapshot{}, err
	}
	last, err := t.LastIDs(s.key)
	if err != nil {
		return cohort.Snapshot{}, err
	}
	if err := t.replaceContent(storeKey, at, last); err != nil {
		return cohort.Snapshot{}, err
	}
	if err := t.restoreSettings(storeKey, s); err != nil {
		return cohort.Snapshot{}, err
	}
	filled, _, err := t.filledTables(s.key)
	if err != nil {
		return cohort.Snapshot{}, err
	}
	return s.Snapshot, t.copyContent(s.key, storeKey, filled)
}

func (t *Tx) restoreSettings(storeKey string, s savedSnapshot) error {
	if err := t.LockStoreRow(storeKey); err != nil {
		return err
	}
	return t.Later("UPDATE stores SET ("+restoredSettings+") = (SELECT "+restoredSettings+" FROM stores WHERE hash = $2) WHERE hash = $1", storeKey, s.key)
}

// ClearToSettings is ClearStore, and restores the settings of a snapshot. It returns
// KindNotFound for an unknown one.
func (t *Tx) ClearToSettings(storeKey, name string, at time.Time) error {
	if err := t.ClearStore(storeKey, at); err != nil {
		return err
	}
	s, err := t.snapshotOf(storeKey, name)
	if err != nil {
		return err
	}
	return t.restoreSettings(storeKey, s)
}

// DeleteSnapshot deletes a snapshot, or returns KindNotFound. SweepStore deletes its rows if
// they are many.
func (t *Tx) DeleteSnapshot(storeKey, name string, at time.Time) error {
	if err := t.LockWriters(storeKey); err != nil {
		return err
	}
	s, err := t.snapshotOf(storeKey, name)
	if err != nil {
		return err
	}
	if err := t.Later("DELETE FROM snapshots WHERE store_hash = $1 AND name = $2", storeKey, name); err != nil {
		return err
	}
	if s.Rows > maxSmallSnapshot {
		return t.Later("UPDATE stores SET date_deleted = $2 WHERE hash = $1", s.key, at.UnixMilli())
	}
	return t.Later("DELETE FROM stores WHERE hash = $1", s.key)
}

// snapshotKeys returns the keys of the rows of a store's snapshots.
func (t *Tx) snapshotKeys(storeKey string) ([]string, error) {
	return t.texts("SELECT snapshot_hash FROM snapshots WHERE store_hash = $1 ORDER BY snapshot_hash", storeKey)
}
