package service

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/country"
	"cohort.example/cohort/internal/db"
)

// CreateStore adds a store, with defaults for fields that are not set. It returns
// KindInvalid, or KindConflict if the hash is taken.
func (s *Service) CreateStore(ctx context.Context, st cohort.Store) (cohort.Store, error) {
	st, err := s.newStore(st)
	if err != nil {
		return cohort.Store{}, err
	}
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		st, err = insertStore(tx, st)
		return err
	})
	return st, err
}

// CreateStoreWithToken is CreateStore and CreateTokenWithSecret in one transaction. The
// token has k's name and scopes. ResetStore restores the settings of the new store.
func (s *Service) CreateStoreWithToken(ctx context.Context, st cohort.Store, k cohort.Token, secret string) (cohort.Store, error) {
	st, err := s.newStore(st)
	if err != nil {
		return cohort.Store{}, err
	}
	token, err := s.newToken(k, secret)
	if err != nil {
		return cohort.Store{}, err
	}
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		if st, err = insertStore(tx, st); err != nil {
			return err
		}
		token.StoreKey = st.Key
		if err := s.insertToken(tx, token); err != nil {
			return err
		}
		return tx.SaveNewStore(st)
	})
	return st, err
}

// newStore returns a valid store with defaults, and with the current time as its date.
func (s *Service) newStore(st cohort.Store) (cohort.Store, error) {
	st, err := completeStore(st.WithDefaults())
	if err != nil {
		return st, err
	}
	st.DateCreated = s.timestamp(st.Key)
	return st, nil
}

func insertStore(tx *db.Tx, st cohort.Store) (cohort.Store, error) {
	_, err := tx.StoreByHash(st.Hash)
	if err == nil {
		return st, &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("store %s exists already", st.Hash)}
	}
	if cohort.KindOf(err) != cohort.KindNotFound {
		return st, err
	}
	if st, err = tx.CreateStore(st); err != nil || !st.Events {
		return st, err
	}
	return st, tx.SetEventsSince(st.Key, st.DateCreated)
}

// completeStore validates a store and sets the English name of its country.
func completeStore(st cohort.Store) (cohort.Store, error) {
	if err := st.Validate(); err != nil || st.Profile.Country == "" {
		return st, err
	}
	c, ok := country.Lookup(st.Profile.Country)
	if !ok {
		return st, cohort.Invalid("country", "The value is not the English name of a country.")
	}
	st.Profile.Country = c.Name
	return st, nil
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

// StoreByKey returns the store with a key, or KindNotFound. It reads the database: a
// change that any node has acknowledged is in the result.
func (s *Service) StoreByKey(ctx context.Context, storeKey string) (st cohort.Store, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		st, err = tx.Store(storeKey)
		return err
	})
	return st, err
}

// StoreWithStorefronts is StoreByKey with the numbers of the store's storefronts.
func (s *Service) StoreWithStorefronts(ctx context.Context, storeKey string) (st cohort.Store, n cohort.Storefronts, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if st, err = tx.Store(storeKey); err != nil {
			return err
		}
		n, err = tx.CountStorefronts(storeKey)
		return err
	})
	return st, n, err
}

// ListStores returns every store, by hash.
func (s *Service) ListStores(ctx context.Context) (stores []cohort.Store, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		stores, err = tx.ListStores()
		return err
	})
	return stores, err
}

// HasStores reports whether there is a store. It takes as long with many as
// with one.
func (s *Service) HasStores(ctx context.Context) (has bool, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		has, err = tx.HasStores()
		return err
	})
	return has, err
}

// UpdateStore changes a store's settings and returns the new state. An empty update
// changes nothing. It returns KindInvalid or KindNotFound.
func (s *Service) UpdateStore(ctx context.Context, storeKey string, u cohort.StoreUpdate) (st cohort.Store, err error) {
	if u == (cohort.StoreUpdate{}) {
		return s.StoreByKey(ctx, storeKey)
	}
	err = s.db.Update(s.recording(db.AtStore(ctx, storeKey), storeKey), func(tx *db.Tx) error {
		before, err := tx.StoreForUpdate(storeKey)
		if err != nil {
			return err
		}
		if st, err = completeStore(u.Apply(before)); err != nil {
			return err
		}
		if err := tx.UpdateStore(before, st); err != nil || st.Events == before.Events {
			return err
		}
		return tx.SetEventsSince(storeKey, s.eventsComplete(st))
	})
	return st, err
}

// eventsComplete returns the time from which on the events of a store are complete, after a
// change of the setting. Other nodes may leave out some until they know of it.
func (s *Service) eventsComplete(st cohort.Store) time.Time {
	switch {
	case !st.Events:
		return time.Time{}
	case s.db.SeesAllWrites():
		return s.timestamp(st.Key)
	}
	return s.timestamp(st.Key).Add(directoryLife)
}
