package service

import (
	"context"

	"cohort.example/cohort"
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

// DirectorySize returns the number of entries of the directory.
func (s *Service) DirectorySize() int {
	s.directory.mu.RLock()
	defer s.directory.mu.RUnlock()
	return len(s.directory.entries)
}

// SharesSlot reports whether two groups share a version counter.
func (s *Service) SharesSlot(store string, group int64, otherStore string, other int64) bool {
	return s.versions.slot(store, group) == s.versions.slot(otherStore, other)
}

// LowerImportBounds lowers the bounds of the brands of an import.
func (s *Service) LowerImportBounds(brands, bytes int) { s.brandsLeft = brandBudget{brands, bytes} }

// LowerPriceBounds lowers the bounds of price requests.
func (s *Service) LowerPriceBounds(variants, options, tiers, categories, steps int) {
	s.bounds = priceBounds{variants, options, tiers, categories, steps}
}
