package service

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// IDPlan has the ids of a store that is rebuilt; see [db.IDPlan].
type IDPlan = db.IDPlan

// MaxSeedPasswords is how many different passwords a seed may have: a hash takes some
// hundredths of a second.
const MaxSeedPasswords = 50

// RebuildStore replaces the content of a store, all or nothing: what fill writes is all
// that the store has then, and what ResetStore goes back to. The calls of fill on the
// service need the context that it gets. They must be of this store, and one at a time.
// New resources have the ids of the plan. Passwords are those that fill will set.
//
// Other writes of the store, and on SQLite all other writes, wait meanwhile. It returns
// the error of fill, and then changes nothing.
func (s *Service) RebuildStore(ctx context.Context, storeKey string, ids *IDPlan, passwords []string, fill func(ctx context.Context) error) error {
	hashed, err := s.hashAll(ctx, storeKey, passwords)
	if err != nil {
		return err
	}
	whole := db.Unchecked(db.ForStore(ctx, storeKey)) // see updateWhole, which has a time limit
	err = s.db.UpdateLong(s.recording(whole, storeKey), func(tx *db.Tx) error {
		if err := tx.HoldEvents(storeKey); err != nil {
			return err
		}
		err := tx.RebuildStore(storeKey, s.now(), ids, func() error {
			return fill(context.WithValue(tx.Join(ctx), hashesKey{}, hashed))
		})
		if err != nil {
			return err
		}
		if err := s.resumeHooks(tx, storeKey); err != nil {
			return err
		}
		_, err = tx.SaveSnapshot(storeKey, seedName, s.now())
		return err
	})
	if err == nil {
		s.outbox.Wake()
	}
	return err
}

// ChangeStore calls fn with a context for calls that change a store: all of them are in one
// transaction, which sees no change of others to the store meanwhile. They must be of this
// store, and one at a time. It returns the error of fn, and then changes nothing. The
// transaction may begin again, so fn may be called more than once.
//
// Other writes of the store, and on SQLite all other writes, wait meanwhile.
func (s *Service) ChangeStore(ctx context.Context, storeKey string, fn func(ctx context.Context) error) error {
	whole := db.Unchecked(db.ForStore(ctx, storeKey)) // see updateWhole, which has a time limit
	err := s.db.UpdateLong(s.recording(whole, storeKey), func(tx *db.Tx) error {
		if err := tx.LockWriters(storeKey); err != nil {
			return err
		}
		return fn(tx.Join(ctx))
	})
	if err == nil {
		s.outbox.Wake()
	}
	return err
}

// ReadStore calls fn with a context for calls that read: all of them see the same state of
// the database. They must be one at a time.
func (s *Service) ReadStore(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.db.ViewLong(ctx, func(tx *db.Tx) error { return fn(tx.Join(ctx)) })
}

// SetDates sets the dates of a resource, by the kind of its id, while its store is
// rebuilt.
func (s *Service) SetDates(ctx context.Context, storeKey, kind string, id int64, created, modified time.Time) error {
	return s.update(ctx, storeKey, func(tx *db.Tx) error { return tx.SetDates(storeKey, kind, id, created, modified) })
}

// Joined reports whether calls with a context are part of RebuildStore, ChangeStore or ReadStore. What
// they read must not be cached.
func Joined(ctx context.Context) bool { return db.Joined(ctx) }

type hashesKey struct{}

// hashAll hashes passwords before the transaction that needs their hashes.
func (s *Service) hashAll(ctx context.Context, storeKey string, passwords []string) (map[string]string, error) {
	hashed := map[string]string{}
	for _, p := range passwords {
		if _, done := hashed[p]; done {
			continue
		}
		if len(hashed) == MaxSeedPasswords {
			return nil, cohort.Invalid("", fmt.Sprintf("A seed may have at most %d different passwords.", MaxSeedPasswords))
		}
		hash, err := s.passwords.Hash(ctx, storeKey, p)
		if err != nil {
			return nil, err
		}
		hashed[p] = hash
	}
	return hashed, nil
}

// hashPassword returns the hash of a customer's password.
func (s *Service) hashPassword(ctx context.Context, storeKey, p string) (string, error) {
	if hashed, ok := ctx.Value(hashesKey{}).(map[string]string); ok && hashed[p] != "" {
		return hashed[p], nil
	}
	return s.passwords.Hash(ctx, storeKey, p)
}
