package service

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"cohort.example/cohort/internal/db"
)

// importLease is how long nobody else takes up an import after the last slice of
// whoever is at it. It is renewed with each slice, and every importRenewal while
// the import is checked.
const (
	importLease   = 30 * time.Second
	importRenewal = importLease / 6
)

// importGrace is how long an import that was stopped may take to say so.
const importGrace = 5 * time.Second

// lease returns a function that says for how long a new lease on a store's import
// is from now on.
func (s *Service) lease(storeHash string) func() db.ImportLease {
	owner := rand.Text()
	return func() db.ImportLease {
		now := s.now()
		return db.ImportLease{StoreHash: storeHash, Owner: owner, Now: now, Until: now.Add(importLease)}
	}
}

// finishImport does all that comes after the gathering.
func (s *Service) finishImport(ctx context.Context, storeHash string, into *db.CatalogImport, m *mistakes) ([]ImportCount, error) {
	lease, err := s.beginImport(ctx, storeHash)
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

// beginImport waits for those who write the catalog, finishes what another import
// has left, and keeps others from writing the catalog from then on.
func (s *Service) beginImport(ctx context.Context, storeHash string) (func() db.ImportLease, error) {
	for {
		lease, begun := s.lease(storeHash), false
		l := lease()
		err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
			begun, err = tx.BeginImport(l)
			return err
		})
		if err != nil || begun {
			return lease, err
		}
		if err := s.takeUpImport(ctx, storeHash); err != nil {
			return nil, err
		}
	}
}

// prepareUnderLease is prepare, during which the lease is renewed. Nobody else
// changes the catalog meanwhile, so each statement may see a moment of its own: a
// snapshot that lasts keeps SQLite's log and PostgreSQL's old rows from being
// tidied up.
func (s *Service) prepareUnderLease(ctx context.Context, lease func() db.ImportLease, into *db.CatalogImport, m *mistakes) ([]ImportCount, error) {
	ctx, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.renewImport(ctx, lease)
	}()
	defer func() { stop(); <-stopped }()
	return s.prepare(into, m)
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
		// If it fails it is tried again. Whether the lease is lost shows in the next
		// slice.
		l := lease()
		_ = s.db.Update(ctx, func(tx *db.Tx) error { return tx.RenewImport(l, db.ImportStaging) })
	}
}

// publish lets everybody see the import. When it is unknown how that ended, it
// looks.
func (s *Service) publish(ctx context.Context, lease func() db.ImportLease, into *db.CatalogImport) error {
	if err := ctx.Err(); err != nil { // the last moment to turn back
		return err
	}
	err := into.Publish(ctx, lease())
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

// abandonImport throws away what is staged. What it does not get done is done by
// others when the lease has run out.
func (s *Service) abandonImport(ctx context.Context, lease func() db.ImportLease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), importGrace)
	defer cancel()
	l := lease()
	err := s.db.Update(ctx, func(tx *db.Tx) error { return tx.AbandonImport(l) })
	if err == nil {
		_ = s.db.ClearImport(ctx, lease)
	}
}

// mergeImport moves the rows of an import that everybody sees to their place. If
// it is stopped, others can go on at once.
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

// takeUpImport finishes what an import into a store has left. It returns
// KindUnavailable if somebody is at it.
func (s *Service) takeUpImport(ctx context.Context, storeHash string) error {
	lease := s.lease(storeHash)
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

// FinishImports finishes what imports have left that were stopped: it throws away
// what nobody has seen, and moves the rest to its place. It can be done by several
// nodes at once, and stopped anywhere.
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
		if err := s.takeUpImport(ctx, store); !errors.Is(err, db.ErrImporting) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
