package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// seedName is the name of the snapshot that ResetStore goes back to. No list has it.
const seedName = ""

// errSnapshotName rejects a name that a snapshot cannot have.
var errSnapshotName = cohort.Invalid("name", "A name is 1 to 64 letters, digits, '.', '_' and '-'.")

// Snapshots returns the snapshots of a store by name, or KindNotFound.
func (s *Service) Snapshots(ctx context.Context, storeKey string) (list []cohort.Snapshot, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if _, err := tx.Store(storeKey); err != nil {
			return err
		}
		list, err = tx.Snapshots(storeKey)
		return err
	})
	return list, err
}

// SaveSnapshot copies what a store contains into the snapshot with a name, and reports
// whether that is a new one. It returns KindInvalid for the name, for too many snapshots and
// for a store with more than [cohort.MaxSnapshotRows], KindUnavailable during an import, and
// KindNotFound.
func (s *Service) SaveSnapshot(ctx context.Context, storeKey, name string) (snap cohort.Snapshot, added bool, err error) {
	if !cohort.IsSnapshotName(name) {
		return snap, false, errSnapshotName
	}
	err = s.updateWhole(ctx, storeKey, func(tx *db.Tx) error {
		replaces, err := tx.HasSnapshot(storeKey, name)
		if err != nil {
			return err
		}
		added = !replaces
		snap, err = tx.SaveSnapshot(storeKey, name, s.now())
		return err
	})
	return snap, added, err
}

// RestoreSnapshot replaces what a store contains by a snapshot, with ids that continue as
// after the save. Catalog mode, currency and profile of the store go back too; tokens, plan
// and limits stay. Pending deliveries to a pricing system are dropped. Every other
// transaction sees all of the store as before or all as after. It returns KindNotFound,
// KindUnavailable during an import, and KindInvalid for a store with more than
// [cohort.MaxSnapshotRows].
func (s *Service) RestoreSnapshot(ctx context.Context, storeKey, name string) (snap cohort.Snapshot, err error) {
	if !cohort.IsSnapshotName(name) {
		return snap, cohort.NotFound("snapshot " + name)
	}
	err = s.updateWhole(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.HoldEvents(storeKey); err != nil {
			return err
		}
		if snap, err = tx.RestoreSnapshot(storeKey, name, s.now()); err != nil {
			return err
		}
		return s.resumeHooks(tx, storeKey)
	})
	return snap, err
}

// DeleteSnapshot deletes a snapshot, or returns KindNotFound.
func (s *Service) DeleteSnapshot(ctx context.Context, storeKey, name string) error {
	if !cohort.IsSnapshotName(name) {
		return cohort.NotFound("snapshot " + name)
	}
	return s.updateWhole(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteSnapshot(storeKey, name, s.now()) })
}

// ResetStore restores the state of a store's seed, or with toEmpty only its settings. A store
// without a seed gets empty, and keeps its settings. It returns the store, and the errors of
// RestoreSnapshot.
func (s *Service) ResetStore(ctx context.Context, storeKey string, toEmpty bool) (st cohort.Store, err error) {
	err = s.updateWhole(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.HoldEvents(storeKey); err != nil {
			return err
		}
		seeded, err := tx.HasSnapshot(storeKey, seedName)
		switch {
		case err != nil:
			return err
		case seeded && !toEmpty:
			_, err = tx.RestoreSnapshot(storeKey, seedName, s.now())
		case seeded:
			err = tx.ClearToSettings(storeKey, seedName, s.now())
		default:
			err = tx.ClearStore(storeKey, s.now())
		}
		if err != nil {
			return err
		}
		if err := s.resumeHooks(tx, storeKey); err != nil {
			return err
		}
		st, err = tx.Store(storeKey)
		return err
	})
	return st, err
}

// resumeHooks makes the hooks of a store, whose content this transaction has replaced, begin
// with the events that are still to come. The transaction has called HoldEvents first.
func (s *Service) resumeHooks(tx *db.Tx, storeKey string) error {
	return tx.ResumeHooks(storeKey, s.timestamp(storeKey), func() (err error) {
		for more := true; more && err == nil; {
			more, err = tx.NumberEvents(storeKey, eventSlice)
		}
		return err
	})
}

// updateWhole runs a transaction during which no other one writes to the store.
func (s *Service) updateWhole(ctx context.Context, storeKey string, fn func(*db.Tx) error) error {
	ctx = db.Unchecked(db.ForStore(ctx, storeKey)) // a check would lock the store first, and two of them deadlock
	return s.db.Update(s.recording(ctx, storeKey), func(tx *db.Tx) error {
		if err := tx.LockWriters(storeKey); err != nil {
			return err
		}
		return fn(tx)
	})
}
