package cohorttest

import (
	"testing"

	"cohort.example/cohort"
)

// Snapshot saves the content of a store under a name of 1 to 64 letters, digits, '.', '_'
// and '-'. A snapshot that has the name is replaced.
func (s *Server) Snapshot(t testing.TB, store, name string) {
	t.Helper()
	if _, _, err := s.service.SaveSnapshot(t.Context(), s.store(t, store).Key, name); err != nil {
		t.Fatal(err)
	}
}

// Restore replaces the content of a store by a snapshot.
func (s *Server) Restore(t testing.TB, store, name string) {
	t.Helper()
	if _, err := s.service.RestoreSnapshot(t.Context(), s.store(t, store).Key, name); err != nil {
		t.Fatal(err)
	}
}

// Reset replaces the content of a store by its last seed, or by nothing if it has none. Its
// faults and requests, what was used of its limits and its clock go too. Tokens, snapshots
// and the quota stay.
func (s *Server) Reset(t testing.TB, store string) {
	t.Helper()
	st, err := s.service.ResetStore(t.Context(), s.store(t, store).Key, false)
	if err != nil {
		t.Fatal(err)
	}
	s.forget(st)
}

// forget removes what the server has in memory of a store.
func (s *Server) forget(st cohort.Store) {
	s.service.Clocks().Clear(st.Key)
	s.faults.Clear(st.Key)
	s.limits.SetConcurrency(st.Key, nil)
	s.limits.Refill(st.Key)
	s.journal.Forget(st.Hash)
}
