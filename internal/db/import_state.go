package db

import (
	"errors"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// ImportState is the state of an import in table catalog_imports.
type ImportState string

// The states of an import. A store without an import has no row.
const (
	ImportStaging   ImportState = "staging"   // its rows are being written, invisible to readers
	ImportAbandoned ImportState = "abandoned" // its rows are to be deleted
	ImportPublished ImportState = "published" // its rows are visible to readers and are to be merged
)

// ImportLease is the right to work on the import of a store until a time. A node
// that holds it renews it with each batch.
type ImportLease struct {
	StoreKey string // the store's key
	Owner    string // unique to the lease
	Now      time.Time
	Until    time.Time
}

// ErrImporting rejects a write to a catalog while an import is in progress. It is
// KindUnavailable.
var ErrImporting = &cohort.Error{
	Kind: cohort.KindUnavailable, Reason: "An import into this store's catalog is being finished. Please try again in a moment.",
}

// errLeaseLost reports that the lease expired and another transaction took over or
// abandoned the import, or that the store was deleted.
var errLeaseLost = &cohort.Error{
	Kind:    cohort.KindUnavailable,
	Message: "The import was abandoned: its lease expired, or the store was deleted.",
}

// HoldCatalog must be the first step of a transaction that writes a store's
// catalog or price records. It takes the shared lock that keeps an import from
// beginning until the transaction ends. It returns KindUnavailable if an import is
// in progress. If an import's lease has expired while staging, the transaction
// marks it as abandoned.
func (t *Tx) HoldCatalog(storeKey string, now time.Time) error {
	if err := t.ShareStore(catalog, storeKey); err != nil {
		return err
	}
	state, until, err := t.importState(storeKey, "")
	if err != nil {
		return err
	}
	if state == ImportPublished || state == ImportStaging && until.After(now) {
		return ErrImporting
	}
	if state == ImportStaging {
		n, err := t.Exec(`UPDATE catalog_imports SET state = 'abandoned', lease_until = 0
			WHERE store_hash = $1 AND state = 'staging' AND lease_until <= $2`, storeKey, now.UnixMilli())
		if err != nil {
			return err
		}
		if n == 0 { // another transaction has changed it since
			return ErrImporting
		}
	}
	t.setCatalog(storeKey, false)
	return nil
}

// importState returns the state of the store's import and the end of its lease, or
// an empty state if there is no import. lock is appended to the query.
func (t *Tx) importState(storeKey, lock string) (state ImportState, until time.Time, err error) {
	var ms int64
	err = t.Lookup("SELECT state, lease_until FROM catalog_imports WHERE store_hash = $1"+lock, storeKey).Scan(&state, &ms)
	if errors.Is(err, txn.ErrNoRows) {
		return "", time.Time{}, nil
	}
	return state, fromMillis(ms), err
}

// BeginImport waits for the transactions that write the store's catalog, and then
// begins an import. It returns false if the store already has one.
func (t *Tx) BeginImport(l ImportLease) (bool, error) {
	if err := t.LockStore(catalog, l.StoreKey); err != nil {
		return false, err
	}
	if state, _, err := t.importState(l.StoreKey, ""); err != nil || state != "" {
		return false, err
	}
	return true, t.Later("INSERT INTO catalog_imports (store_hash, state, owner, lease_until) VALUES ($1, 'staging', $2, $3)",
		l.StoreKey, l.Owner, l.Until.UnixMilli())
}

// TakeOverImport takes the lease on an import whose lease has expired. It returns
// the state, which says what the caller must do: ClearImport if abandoned,
// MergeImport if published, nothing if empty. It returns KindUnavailable while
// another owner holds the lease.
func (t *Tx) TakeOverImport(l ImportLease) (ImportState, error) {
	state, until, err := t.importState(l.StoreKey, t.SQL().ForUpdate)
	if err != nil || state == "" {
		return "", err
	}
	if until.After(l.Now) {
		return "", ErrImporting
	}
	if state == ImportStaging {
		state = ImportAbandoned
	}
	return state, t.Later("UPDATE catalog_imports SET state = $2, owner = $3, lease_until = $4 WHERE store_hash = $1",
		l.StoreKey, state, l.Owner, l.Until.UnixMilli())
}

// RenewImport extends the lease of an import that is in the given state, and locks
// its row until the transaction ends. It returns KindUnavailable if the owner has
// lost the lease.
func (t *Tx) RenewImport(l ImportLease, state ImportState) error {
	return t.moveImport(l, state, state, l.Until)
}

// PublishImport makes a staged import visible to readers.
func (t *Tx) PublishImport(l ImportLease) error {
	err := t.moveImport(l, ImportStaging, ImportPublished, l.Until)
	t.forgetCatalog()
	return err
}

// AbandonImport marks a staging import as abandoned, and ends the lease.
func (t *Tx) AbandonImport(l ImportLease) error {
	return t.moveImport(l, ImportStaging, ImportAbandoned, time.UnixMilli(0))
}

// ReleaseImport ends the lease, so that another node can take over the import
// immediately.
func (t *Tx) ReleaseImport(l ImportLease) error {
	return t.Later("UPDATE catalog_imports SET lease_until = 0 WHERE store_hash = $1 AND owner = $2", l.StoreKey, l.Owner)
}

func (t *Tx) moveImport(l ImportLease, from, to ImportState, until time.Time) error {
	n, err := t.Exec("UPDATE catalog_imports SET state = $4, lease_until = $5 WHERE store_hash = $1 AND owner = $2 AND state = $3",
		l.StoreKey, l.Owner, from, to, until.UnixMilli())
	if err == nil && n == 0 {
		return errLeaseLost
	}
	return err
}

// endImport deletes the row of an import that has no rows left in the incoming
// tables.
func (t *Tx) endImport(l ImportLease) error {
	n, err := t.Exec("DELETE FROM catalog_imports WHERE store_hash = $1 AND owner = $2", l.StoreKey, l.Owner)
	t.forgetCatalog()
	if err == nil && n == 0 {
		return errLeaseLost
	}
	return err
}

// OwnsImport reports whether the import is in the given state and the lease's
// owner still holds it.
func (t *Tx) OwnsImport(l ImportLease, state ImportState) (bool, error) {
	var one int64
	err := t.Lookup("SELECT 1 FROM catalog_imports WHERE store_hash = $1 AND owner = $2 AND state = $3", l.StoreKey, l.Owner, state).Scan(&one)
	if errors.Is(err, txn.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// ExpiredImports returns the keys of stores with an import whose lease has
// expired.
func (t *Tx) ExpiredImports(now time.Time) ([]string, error) {
	rows, err := t.Query(`SELECT store_hash FROM catalog_imports WHERE lease_until <= $1
		AND store_hash IN (SELECT hash FROM stores WHERE date_deleted = 0)`, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (key string, err error) { return key, row.Scan(&key) })
}
