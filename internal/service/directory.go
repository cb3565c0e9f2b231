package service

import (
	"context"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// directoryLife is how long a token and its store are taken for what they were.
// On the node that changes them they are looked up again at once; on others a
// revoked token is refused after this time.
const directoryLife = 500 * time.Millisecond

// maxDirectory bounds how many tokens are remembered.
const maxDirectory = 10_000

// directory remembers tokens and their stores, which every request asks for. It
// remembers none that it did not find.
type directory struct {
	mu      sync.RWMutex
	bearers map[string]remembered // by the hash of the secret, or by storeKey
	changes int
}

// Bearer is a token that a request carries, with the token's store.
type Bearer struct {
	Token cohort.Token
	Store cohort.Store
}

// remembered is a bearer as it was read, until it has to be read again.
type remembered struct {
	Bearer
	until time.Time
}

func newDirectory() *directory { return &directory{bearers: map[string]remembered{}} }

// forget drops everything.
func (d *directory) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.bearers)
	d.changes++
}

// look returns who has the secret, if that is remembered. Else changes is to be
// handed to keep with what was found.
func (d *directory) look(hash string, now time.Time) (b remembered, ok bool, changes int) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	b, ok = d.bearers[hash]
	return b, ok && now.Before(b.until), d.changes
}

// keep remembers a bearer, unless something has changed since look.
func (d *directory) keep(hash string, b remembered, changes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes != changes {
		return
	}
	if len(d.bearers) >= maxDirectory {
		clear(d.bearers)
	}
	d.bearers[hash] = b
}

// bearer returns who comes with a secret, or KindUnauthorized.
func (s *Service) bearer(ctx context.Context, secret string) (Bearer, error) {
	hash, now := cohort.HashTokenSecret(secret), s.now()
	b, ok, changes := s.directory.look(hash, now)
	if ok {
		return b.Bearer, nil
	}
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		if b.Token, err = tx.TokenByHash(hash); err != nil {
			return err
		}
		b.Store, err = tx.Store(b.Token.StoreHash)
		return err
	})
	if cohort.KindOf(err) == cohort.KindNotFound {
		return Bearer{}, &cohort.Error{Kind: cohort.KindUnauthorized}
	}
	if err != nil {
		return Bearer{}, err
	}
	b.until = now.Add(directoryLife)
	s.directory.keep(hash, b, changes)
	return b.Bearer, nil
}

// storeKey is where a store is remembered by itself, as one whose bearer has no
// token. It is not the hash of any secret.
func storeKey(storeHash string) string { return "store " + storeHash }

// rememberedStore returns a store as it is, or as it was a moment ago if another
// node has changed it since.
func (s *Service) rememberedStore(ctx context.Context, storeHash string) (cohort.Store, error) {
	key, now := storeKey(storeHash), s.now()
	b, ok, changes := s.directory.look(key, now)
	if ok {
		return b.Store, nil
	}
	var store cohort.Store
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		store, err = tx.Store(storeHash)
		return err
	})
	if err != nil {
		return store, err
	}
	s.directory.keep(key, remembered{Bearer{Store: store}, now.Add(directoryLife)}, changes)
	return store, nil
}
