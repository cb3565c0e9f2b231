package service

import (
	"cohort.example/cohort"
)

// What the tests in package service_test cannot reach otherwise.
const (
	DirectoryLife = directoryLife
	Shallow       = shallow
)

// HasIndex reports whether a question is answered from a roster now. If it is
// not yet, but could be, the roster begins to be loaded.
func (s *Service) HasIndex(storeHash string, f cohort.GroupFilter, skip int64) bool {
	return s.indexFor(storeHash, f, skip) != nil
}

// ForgetIndexes is what happens when another process has written.
func (s *Service) ForgetIndexes() { s.indexes.Forget() }

// Remembered returns how many tokens are remembered.
func (s *Service) Remembered() int {
	s.directory.mu.RLock()
	defer s.directory.mu.RUnlock()
	return len(s.directory.bearers)
}

// SharesSlot reports whether a group's version changes along with another's by
// chance.
func (s *Service) SharesSlot(store string, group int64, otherStore string, other int64) bool {
	return s.versions.slot(store, group) == s.versions.slot(otherStore, other)
}

// LowerPriceBounds lowers the bounds of what a request for prices reads.
func (s *Service) LowerPriceBounds(variants, options, tiers, categories, steps int) {
	s.bounds = priceBounds{variants, options, tiers, categories, steps}
}
