package service

import (
	"context"

	"cohort.example/cohort/internal/db"
)

// Flaw is something in the rows of a store that neither a request nor a crash can cause.
type Flaw = db.Flaw

// Damage returns what is wrong with the file of a SQLite database, a line each. It reads
// the whole file.
func (s *Service) Damage(ctx context.Context) ([]string, error) { return s.db.Damage(ctx) }

// CheckStores calls fn with each flaw of the stores, ordered by store. With repair, each
// flaw has been repaired by then, and further writes of its store wait meanwhile. Repairs
// are not in the store's events, except that assignments are gone.
func (s *Service) CheckStores(ctx context.Context, repair bool, fn func(Flaw) error) (stores int, err error) {
	list, err := s.ListStores(ctx)
	if err != nil {
		return 0, err
	}
	for _, st := range list {
		flaws, err := s.checkStore(ctx, st.Key, repair)
		if err != nil {
			return stores, err
		}
		stores++
		for _, f := range flaws {
			if err := fn(f); err != nil {
				return stores, err
			}
		}
	}
	return stores, nil
}

func (s *Service) checkStore(ctx context.Context, storeKey string, repair bool) (flaws []Flaw, err error) {
	find := func(tx *db.Tx) error { flaws, err = tx.StoreFlaws(storeKey); return err }
	if err := s.db.ViewLong(ctx, find); err != nil || !repair || len(flaws) == 0 {
		return flaws, err
	}
	err = s.db.UpdateLong(ctx, func(tx *db.Tx) error { flaws, err = tx.RepairStore(storeKey); return err })
	return flaws, err
}
