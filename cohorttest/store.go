package cohorttest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"cohort.example/cohort"
)

// TempStore adds a store of the test's own and returns its hash and a token with every
// scope. The store goes when the test ends, with its faults, its requests and its limits.
// It has no quota; see [Server.Limits].
func (s *Server) TempStore(t testing.TB) (store, token string) {
	t.Helper()
	store = "t-" + strings.ToLower(rand.Text())[:12]
	token = s.NewStore(t, cohort.Store{Hash: store})
	t.Cleanup(func() {
		if err := s.deleteStore(store); err != nil {
			t.Errorf("delete the store of the test: %v", err)
		}
	})
	return store, token
}

// deleteStore deletes a store and all that the server keeps of it in memory.
func (s *Server) deleteStore(hash string) error {
	ctx := context.Background() // that of the test has ended
	st, err := s.service.Store(ctx, hash)
	if err != nil {
		return err
	}
	if err := s.service.DeleteStore(ctx, st.Key); err != nil {
		return err
	}
	s.forget(st)
	return nil
}

// NewStore adds a store, such as one with a managed catalog, and returns a token of it
// with every scope.
func (s *Server) NewStore(t testing.TB, store cohort.Store) (token string) {
	t.Helper()
	token, err := s.newStore(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// NewToken adds a token to a store.
func (s *Server) NewToken(t testing.TB, storeHash string, scopes ...cohort.Scope) (token string) {
	t.Helper()
	token = cohort.NewTokenSecret()
	_, err := s.service.CreateTokenWithSecret(t.Context(), cohort.Token{StoreKey: s.store(t, storeHash).Key, Scopes: scopes}, token)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (s *Server) newStore(ctx context.Context, store cohort.Store) (token string, err error) {
	token = cohort.NewTokenSecret()
	_, err = s.service.CreateStoreWithToken(ctx, store, cohort.Token{Scopes: cohort.Scopes()}, token)
	return token, err
}

// store returns a store, which must exist.
func (s *Server) store(t testing.TB, hash string) cohort.Store {
	t.Helper()
	st, err := s.service.Store(t.Context(), hash)
	if err != nil {
		t.Fatalf("store %q: %v", hash, err)
	}
	return st
}
