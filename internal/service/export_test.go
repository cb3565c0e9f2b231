package service

import (
	"context"
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// Constants that the tests in package service_test need.
const (
	DirectoryLife  = directoryLife
	MinIndexOffset = minIndexOffset
)

// HasIndex reports whether a list with a filter and an offset uses the group index. If
// it could and the index is not loaded yet, the load begins.
func (s *Service) HasIndex(storeKey string, f cohort.GroupFilter, offset int64) bool {
	return s.indexFor(context.Background(), storeKey, f, offset) != nil
}

// ForgetIndexes drops the group indexes, as a write of another process does.
func (s *Service) ForgetIndexes() { s.indexes.Forget() }

// DirectorySize returns the number of entries of the directory that are not forgotten.
func (s *Service) DirectorySize() int {
	n := 0
	for e := range s.directory.entries.Values() {
		if e.changes == s.directory.changes.Load() {
			n++
		}
	}
	return n
}

// SharesSlot reports whether two groups share a version counter.
func (s *Service) SharesSlot(store string, group int64, otherStore string, other int64) bool {
	return s.versions.slot(store, group) == s.versions.slot(otherStore, other)
}

// LowerImportBounds lowers the bounds of the brands of an import.
func (s *Service) LowerImportBounds(brands, bytes int) { s.brandsLeft = brandBudget{brands, bytes} }

// LowerPriceBounds lowers the bounds of price requests.
func (s *Service) LowerPriceBounds(variants, options, tiers, categories, steps int) {
	s.bounds = priceBounds{variants, options, tiers, categories, steps, s.bounds.past}
}

// LowerPastBounds lowers the bounds of explanations of the past.
func (s *Service) LowerPastBounds(events, bytes int) {
	s.bounds.past = db.PastBounds{Events: events, Bytes: bytes}
}

// HooksWoken is what RunHooks waits on.
func (s *Service) HooksWoken() <-chan struct{} { return s.hooks.wake }

// HooksIdle reports whether no store has events that this process has recorded and for which
// it has not woken the hooks yet.
func (s *Service) HooksIdle() bool {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	return len(s.hooks.stores) == 0
}

// DispatchHooks wakes the hooks of all stores that have new events.
func (s *Service) DispatchHooks(ctx context.Context) (err error) {
	for keys := s.hooks.take(); len(keys) > 0; keys = s.hooks.take() {
		for _, key := range keys {
			err = errors.Join(err, s.dispatch(ctx, key))
			s.hooks.done(key)
		}
	}
	return err
}

// PollHooks looks for events that another process has recorded.
func (s *Service) PollHooks(ctx context.Context) error { return s.pollHooks(ctx) }

// TokenUsesWaiting returns the number of uses of tokens that are not written.
func (s *Service) TokenUsesWaiting() int {
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	return len(s.uses.hours)
}
