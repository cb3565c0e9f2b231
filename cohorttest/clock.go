package cohorttest

import (
	"testing"
	"time"

	"cohort.example/cohort/internal/clock"
)

// Clock is the clock of a store. Dates, the windows of limits and what is due later follow
// it. A store starts with the clock of the system.
type Clock struct {
	server *Server
	store  string
}

// Clock returns the clock of the store with a hash.
func (s *Server) Clock(store string) Clock { return Clock{s, store} }

// Now returns the time of the store, in UTC.
func (c Clock) Now(t testing.TB) time.Time {
	t.Helper()
	return c.clocks().Get(c.key(t)).Now
}

// Freeze stops the clock at a time, from 1970 to the beginning of 9999, in milliseconds.
func (c Clock) Freeze(t testing.TB, at time.Time) {
	t.Helper()
	c.change(t, c.clocks().Freeze(c.key(t), at))
}

// Offset makes the clock run at a distance from the clock of the system, which may be
// negative.
func (c Clock) Offset(t testing.TB, by time.Duration) {
	t.Helper()
	c.change(t, c.clocks().Offset(c.key(t), by))
}

// Advance moves the clock forward. A frozen one stays frozen.
func (c Clock) Advance(t testing.TB, by time.Duration) {
	t.Helper()
	c.change(t, c.clocks().Advance(c.key(t), by))
}

// Clear gives the store the clock of the system again.
func (c Clock) Clear(t testing.TB) {
	t.Helper()
	c.clocks().Clear(c.key(t))
}

func (c Clock) change(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("the clock of the store %q: %v", c.store, err)
	}
}

func (c Clock) clocks() *clock.Set { return c.server.service.Clocks() }

func (c Clock) key(t testing.TB) string {
	t.Helper()
	return c.server.store(t, c.store).Key
}
