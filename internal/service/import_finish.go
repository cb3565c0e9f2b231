package service

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// importLease is the duration of the lease on a store's import. Each batch renews it,
// and so does a ticker, every importRenewal, during the check. After it has expired,
// another node can take over the import.
const (
	importLease   = 30 * time.Second
	importRenewal = importLease / 6
)

// importGrace bounds the cleanup of an import whose context has ended.
const importGrace = 5 * time.Second

// lease returns a function that returns a lease on a store's import, always of the
// same new owner, that starts now.
func (s *Service) lease(storeKey string) func() db.ImportLease {
	owner := rand.Text()
	return func() db.ImportLease {
		now := s.now()
		return db.ImportLease{StoreKey: storeKey, Owner: owner, Now: now, Until: now.Add(importLease)}
	}
}

// finishImport runs the steps of an import after all its items are collected.
func (s *Service) finishImport(ctx context.Context, storeKey string, into *db.CatalogImport, m *mistakes) ([]cohort.ImportCount, error) {
	lease, err := s.beginImport(ctx, storeKey)
	if err != nil {
		return nil, err
	}
	counts, err := s.prepareUnderLease(ctx, lease, into, m)
	if err == nil {
		err = into.Stage(lease)
	}
	if err == nil {
		err = s.publish(ctx, lease, into)
	}
	if err != nil {
		s.abandonImport(ctx, lease)
		return nil, err
	}
	if err := s.mergeImport(ctx, lease); err != nil {
		return counts, &ImportUnmerged{err}
	}
	return counts, nil
}

// beginImport waits for writes to the catalog, completes or discards an unfinished
// import, and blocks other writes to the catalog.
func (s *Service) beginImport(ctx context.Context, storeKey string) (func() db.ImportLease, error) {
	for {
		lease, begun := s.lease(storeKey), false
		l := lease()
		err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
			begun, err = tx.BeginImport(l)
			return err
		})
		if err != nil || begun {
			return lease, err
		}
		if err := s.takeOverImport(ctx, storeKey); err != nil {
			return nil, err
		}
	}
}

// prepareUnderLease is prepare with renewals of the lease. The lease keeps the catalog
// from changing, so the statements need no common snapshot. A long snapshot would keep
// SQLite from checkpointing its log and PostgreSQL from vacuuming old rows.
func (s *Service) prepareUnderLease(ctx context.Context, lease func() db.ImportLease, into *db.CatalogImport, m *mistakes) ([]cohort.ImportCount, error) {
	ctx, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.renewImport(ctx, lease)
	}()
	defer func() { stop(); <-stopped }()
	return s.prepare(lease().StoreKey, into, m)
}

func (s *Service) renewImport(ctx context.Context, lease func() db.ImportLease) {
	ticks := time.NewTicker(importRenewal)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		// The next tick tries again. The next batch detects a lost lease.
		l := lease()
		_ = s.db.Update(ctx, func(tx *db.Tx) error { return tx.RenewImport(l, db.ImportStaging) })
	}
}

// publish makes the import visible. If it does not learn whether that was committed, it
// checks.
func (s *Service) publish(ctx context.Context, lease func() db.ImportLease, into *db.CatalogImport) error {
	if err := ctx.Err(); err != nil { // later the import cannot be withdrawn
		return err
	}
	err := into.Publish(s.recording(ctx, lease().StoreKey), lease())
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), importGrace)
	defer cancel()
	published, l := false, lease()
	lookErr := s.db.View(ctx, func(tx *db.Tx) (err error) {
		published, err = tx.OwnsImport(l, db.ImportPublished)
		return err
	})
	if lookErr == nil && published {
		return nil
	}
	return err
}

// abandonImport discards the staged rows. Rows that it does not delete are deleted
// after the lease has expired; see takeOverImport.
func (s *Service) abandonImport(ctx context.Context, lease func() db.ImportLease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), importGrace)
	defer cancel()
	l := lease()
	err := s.db.Update(ctx, func(tx *db.Tx) error { return tx.AbandonImport(l) })
	if err == nil {
		_ = s.db.ClearImport(ctx, lease)
	}
}

// mergeImport moves the rows of a visible import into the catalog tables. If it fails,
// it releases the lease, so that another node can continue at once.
func (s *Service) mergeImport(ctx context.Context, lease func() db.ImportLease) error {
	err := s.db.MergeImport(ctx, lease)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), importGrace)
		defer cancel()
		l := lease()
		_ = s.db.Update(ctx, func(tx *db.Tx) error { return tx.ReleaseImport(l) })
	}
	return err
}

// takeOverImport merges a store's unfinished import if it is visible, and discards it
// otherwise. It returns KindUnavailable if another node holds the lease.
func (s *Service) takeOverImport(ctx context.Context, storeKey string) error {
	lease := s.lease(storeKey)
	l := lease()
	var state db.ImportState
	err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
		state, err = tx.TakeOverImport(l)
		return err
	})
	switch {
	case err != nil || state == "":
		return err
	case state == db.ImportPublished:
		return s.mergeImport(ctx, lease)
	}
	return s.db.ClearImport(ctx, lease)
}

// FinishImports completes interrupted imports: it merges those that are visible and
// discards the others. Several nodes may call it at the same time, and it may be
// cancelled at any point.
func (s *Service) FinishImports(ctx context.Context) error {
	var stores []string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		stores, err = tx.ExpiredImports(s.now())
		return err
	})
	if err != nil {
		return err
	}
	var failed error
	for _, store := range stores {
		if err := s.takeOverImport(ctx, store); !errors.Is(err, db.ErrImporting) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
