package service

import (
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreateStore adds a store, with defaults for fields that are not set. It returns
// KindInvalid, or KindConflict if the hash is taken.
func (s *Service) CreateStore(ctx context.Context, st cohort.Store) (cohort.Store, error) {
	st = st.WithDefaults()
	if err := st.Validate(); err != nil {
		return cohort.Store{}, err
	}
	st.DateCreated = s.timestamp()
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.StoreByHash(st.Hash)
		if err == nil {
			return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("store %s exists already", st.Hash)}
		}
		if cohort.KindOf(err) != cohort.KindNotFound {
			return err
		}
		st, err = tx.CreateStore(st)
		return err
	})
	return st, err
}

// Store returns the store that currently has a hash, or KindNotFound. All other methods
// take the key of a store. After a store has been deleted and recreated with the same
// hash, the old key still identifies the deleted store.
func (s *Service) Store(ctx context.Context, hash string) (st cohort.Store, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		st, err = tx.StoreByHash(hash)
		return err
	})
	return st, err
}

// ListStores returns every store, by hash.
func (s *Service) ListStores(ctx context.Context) (stores []cohort.Store, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		stores, err = tx.ListStores()
		return err
	})
	return stores, err
}

// UpdateStore changes a store's settings and returns the new state. It returns
// KindInvalid or KindNotFound.
func (s *Service) UpdateStore(ctx context.Context, storeKey string, u cohort.StoreUpdate) (st cohort.Store, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		if st, err = tx.StoreForUpdate(storeKey); err != nil {
			return err
		}
		st = u.Apply(st)
		if err := st.Validate(); err != nil {
			return err
		}
		return tx.UpdateStore(st)
	})
	return st, err
}
