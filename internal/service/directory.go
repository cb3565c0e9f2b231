package service

import (
	"context"
	"sync/atomic"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/maypok86/otter/v2"
)

// directoryLife is the lifetime of an entry of the directory. The node that changes a
// token or store drops the entry at once; other nodes reject a revoked token after
// this time.
const directoryLife = 500 * time.Millisecond

// maxDirectory bounds the entries of the directory: the tokens that requests use within
// directoryLife. Beyond that, tokens that are used often stay.
const maxDirectory = 10_000

// directory caches tokens and their stores, which every request looks up. It does not
// cache failed lookups.
type directory struct {
	entries *otter.Cache[string, directoryEntry] // by the hash of a secret, or by storeEntryKey
	changes atomic.Int64                         // counts calls of forget
}

// Bearer is the token of a request, with the token's store.
type Bearer struct {
	Token cohort.Token
	Store cohort.Store
}

// directoryEntry is a bearer with the time at which it must be read again.
type directoryEntry struct {
	Bearer
	until   time.Time
	changes int64         // of the directory before the bearer was read
	used    *atomic.Int64 // the hour of the last use that is noted; nil: not a token
}

func newDirectory() *directory {
	return &directory{entries: otter.Must(&otter.Options[string, directoryEntry]{MaximumSize: maxDirectory})}
}

// forget drops all entries: those of before are outdated, and others replace them.
func (d *directory) forget() { d.changes.Add(1) }

// get returns the entry with the key. If ok is false, the caller passes changes to put
// with the entry that it reads then.
func (d *directory) get(key string, now time.Time) (e directoryEntry, ok bool, changes int64) {
	changes = d.changes.Load()
	e, ok = d.entries.GetIfPresent(key)
	return e, ok && e.changes == changes && now.Before(e.until), changes
}

// put adds a bearer that was read after get, and returns the entry. If forget has been called
// since, the entry may be outdated, and get does not return it.
func (d *directory) put(key string, b Bearer, now time.Time, changes int64) directoryEntry {
	e := directoryEntry{Bearer: b, until: now.Add(directoryLife), changes: changes}
	if b.Token.ID != "" {
		e.used = new(atomic.Int64)
		e.used.Store(hourOf(b.Token.DateUsed))
	}
	d.entries.Set(key, e)
	return e
}

// bearer returns the bearer of a secret, or KindUnauthorized.
func (s *Service) bearer(ctx context.Context, secret string) (Bearer, error) {
	hash, now := cohort.HashTokenSecret(secret), s.now()
	e, ok, changes := s.directory.get(hash, now)
	if !ok {
		b, err := s.readBearer(ctx, hash)
		if err != nil {
			return Bearer{}, err
		}
		e = s.directory.put(hash, b, now, changes)
	}
	if !e.Token.DateExpires.IsZero() && e.Token.Expired(s.clocks.At(e.Store.Key, now)) {
		return Bearer{}, &cohort.Error{Kind: cohort.KindUnauthorized}
	}
	if hour := hourOf(now); e.used.Load() != hour && e.used.Swap(hour) != hour {
		s.uses.note(hash, hour)
	}
	return e.Bearer, nil
}

// readBearer reads the bearer of the secret with a hash, or returns KindUnauthorized.
func (s *Service) readBearer(ctx context.Context, hash string) (b Bearer, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		if b.Token, err = tx.TokenByHash(hash); err != nil {
			return err
		}
		b.Store, err = tx.Store(b.Token.StoreKey)
		return err
	})
	if cohort.KindOf(err) == cohort.KindNotFound {
		return Bearer{}, &cohort.Error{Kind: cohort.KindUnauthorized}
	}
	return b, err
}

// storeEntryKey is the key of the directory entry of a store without a token. It
// cannot be the hash of a secret.
func storeEntryKey(storeKey string) string { return "store " + storeKey }

// cachedStore returns a store. If another node has changed it, the result may be up to
// directoryLife old.
func (s *Service) cachedStore(ctx context.Context, storeKey string) (cohort.Store, error) {
	if db.Joined(ctx) { // the transaction may have changed it
		return s.StoreByKey(ctx, storeKey)
	}
	key, now := storeEntryKey(storeKey), s.now()
	e, ok, changes := s.directory.get(key, now)
	if ok {
		return e.Store, nil
	}
	var store cohort.Store
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		store, err = tx.Store(storeKey)
		return err
	})
	if err != nil {
		return store, err
	}
	s.directory.put(key, Bearer{Store: store}, now, changes)
	return store, nil
}
