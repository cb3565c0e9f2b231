package service

import (
	"context"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// directoryLife is the lifetime of an entry of the directory. The node that changes a
// token or store drops the entry at once; other nodes reject a revoked token after
// this time.
const directoryLife = 500 * time.Millisecond

// maxDirectory bounds the entries of the directory.
const maxDirectory = 10_000

// directory caches tokens and their stores, which every request looks up. It does not
// cache failed lookups.
type directory struct {
	mu      sync.RWMutex
	entries map[string]directoryEntry // by the hash of a secret, or by storeEntryKey
	changes int                       // counts calls of forget
}

// Bearer is the token of a request, with the token's store.
type Bearer struct {
	Token cohort.Token
	Store cohort.Store
}

// directoryEntry is a bearer with the time at which it must be read again.
type directoryEntry struct {
	Bearer
	until time.Time
}

func newDirectory() *directory { return &directory{entries: map[string]directoryEntry{}} }

// forget drops all entries.
func (d *directory) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.entries)
	d.changes++
}

// get returns the entry with the key. If ok is false, the caller passes changes to put
// with the entry that it has read.
func (d *directory) get(key string, now time.Time) (e directoryEntry, ok bool, changes int) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e, ok = d.entries[key]
	return e, ok && now.Before(e.until), d.changes
}

// put adds an entry, unless forget was called since get: the entry may have been read
// before that change.
func (d *directory) put(key string, e directoryEntry, changes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes != changes {
		return
	}
	if len(d.entries) >= maxDirectory {
		clear(d.entries)
	}
	d.entries[key] = e
}

// bearer returns the bearer of a secret, or KindUnauthorized.
func (s *Service) bearer(ctx context.Context, secret string) (Bearer, error) {
	hash, now := cohort.HashTokenSecret(secret), s.now()
	b, ok, changes := s.directory.get(hash, now)
	if ok {
		return b.Bearer, nil
	}
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		if b.Token, err = tx.TokenByHash(hash); err != nil {
			return err
		}
		b.Store, err = tx.Store(b.Token.StoreKey)
		return err
	})
	if cohort.KindOf(err) == cohort.KindNotFound {
		return Bearer{}, &cohort.Error{Kind: cohort.KindUnauthorized}
	}
	if err != nil {
		return Bearer{}, err
	}
	b.until = now.Add(directoryLife)
	s.directory.put(hash, b, changes)
	return b.Bearer, nil
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
	b, ok, changes := s.directory.get(key, now)
	if ok {
		return b.Store, nil
	}
	var store cohort.Store
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		store, err = tx.Store(storeKey)
		return err
	})
	if err != nil {
		return store, err
	}
	s.directory.put(key, directoryEntry{Bearer{Store: store}, now.Add(directoryLife)}, changes)
	return store, nil
}
