package db

import (
	"errors"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// ImportState says how far an import has come.
type ImportState string

// The states of an import between its check and its end. Without a row there is
// none.
const (
	ImportStaging   ImportState = "staging"   // its rows are written where nobody reads them
	ImportAbandoned ImportState = "abandoned" // they are garbage
	ImportPublished ImportState = "published" // everybody reads them, and they are to be merged
)

// ImportLease is the right to work on the import of a store, until a moment.
type ImportLease struct {
	StoreHash, Owner string // the owner's name is that of one lease
	Now, Until       time.Time
}

// ErrImporting is KindUnavailable. It refuses to write a catalog while an import is being finished.
var ErrImporting = &cohort.Error{
	Kind: cohort.KindUnavailable, Reason: "An import into this store's catalog is being finished. Please try again in a moment.",
}

// errLeaseLost is that somebody else has taken an import for dead, or that its
// store is gone.
var errLeaseLost = &cohort.Error{
	Kind:    cohort.KindUnavailable,
	Message: "The import was given up: it stood still for too long, or the store was deleted.",
}

// HoldCatalog is what a transaction begins with that writes a store's catalog or
// its price records: until its end no import begins. It returns KindUnavailable
// if one is being finished. An import whose lease has run out is abandoned by
// this transaction.
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
		if n == 0 { // somebody has moved it meanwhile
			return ErrImporting
		}
	}
	t.knowCatalog(storeKey, false)
	return nil
}

// importState returns an empty state if there is no import. lock ends the query.
func (t *Tx) importState(storeKey, lock string) (state ImportState, until time.Time, err error) {
	var ms int64
	err = t.Lookup("SELECT state, lease_until FROM catalog_imports WHERE store_hash = $1"+lock, storeKey).Scan(&state, &ms)
	if errors.Is(err, txn.ErrNoRows) {
		return "", time.Time{}, nil
	}
	return state, fromMillis(ms), err
}

// BeginImport waits for those who write the store's catalog, and begins an import.
// It returns false if there is one already.
func (t *Tx) BeginImport(l ImportLease) (bool, error) {
	if err := t.LockStore(catalog, l.StoreHash); err != nil {
		return false, err
	}
	if state, _, err := t.importState(l.StoreHash, ""); err != nil || state != "" {
		return false, err
	}
	return true, t.Later("INSERT INTO catalog_imports (store_hash, state, owner, lease_until) VALUES ($1, 'staging', $2, $3)",
		l.StoreHash, l.Owner, l.Until.UnixMilli())
}

// TakeOverImport leases what an import has left whose lease has run out, and
// returns what there is to do: to clear what is abandoned, or to merge what is
// published. It is empty if there is nothing. While somebody else has the lease,
// it returns KindUnavailable.
func (t *Tx) TakeOverImport(l ImportLease) (ImportState, error) {
	state, until, err := t.importState(l.StoreHash, t.SQL().ForUpdate)
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
		l.StoreHash, state, l.Owner, l.Until.UnixMilli())
}

// RenewImport moves the end of the lease of an import that is in a state, and
// keeps others from working on it until the transaction ends. It returns
// KindUnavailable if the owner does not have it any more.
func (t *Tx) RenewImport(l ImportLease, state ImportState) error {
	return t.moveImport(l, state, state, l.Until)
}

// PublishImport lets everybody read an import that is staged.
func (t *Tx) PublishImport(l ImportLease) error {
	err := t.moveImport(l, ImportStaging, ImportPublished, l.Until)
	t.forgetCatalog()
	return err
}

// AbandonImport makes garbage of an import that is staging. It is nobody's then.
func (t *Tx) AbandonImport(l ImportLease) error {
	return t.moveImport(l, ImportStaging, ImportAbandoned, time.UnixMilli(0))
}

// ReleaseImport lets others go on with an import at once.
func (t *Tx) ReleaseImport(l ImportLease) error {
	return t.Later("UPDATE catalog_imports SET lease_until = 0 WHERE store_hash = $1 AND owner = $2", l.StoreHash, l.Owner)
}

func (t *Tx) moveImport(l ImportLease, from, to ImportState, until time.Time) error {
	n, err := t.Exec("UPDATE catalog_imports SET state = $4, lease_until = $5 WHERE store_hash = $1 AND owner = $2 AND state = $3",
		l.StoreHash, l.Owner, from, to, until.UnixMilli())
	if err == nil && n == 0 {
		return errLeaseLost
	}
	return err
}

// endImport deletes the row of an import of which no other row is left.
func (t *Tx) endImport(l ImportLease) error {
	n, err := t.Exec("DELETE FROM catalog_imports WHERE store_hash = $1 AND owner = $2", l.StoreHash, l.Owner)
	t.forgetCatalog()
	if err == nil && n == 0 {
		return errLeaseLost
	}
	return err
}

// OwnsImport reports whether an import is in a state and has an owner.
func (t *Tx) OwnsImport(l ImportLease, state ImportState) (bool, error) {
	var one int64
	err := t.Lookup("SELECT 1 FROM catalog_imports WHERE store_hash = $1 AND owner = $2 AND state = $3", l.StoreHash, l.Owner, state).Scan(&one)
	if errors.Is(err, txn.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// ImportsLeft returns the stores with an import on which nobody works at a moment.
func (t *Tx) ImportsLeft(now time.Time) ([]string, error) {
	rows, err := t.Query(`SELECT store_hash FROM catalog_imports WHERE lease_until <= $1
		AND store_hash IN (SELECT hash FROM stores WHERE date_deleted = 0)`, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (hash string, err error) { return hash, row.Scan(&hash) })
}
