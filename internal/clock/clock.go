// Package clock has the clocks of stores, which tests of an integration freeze, move and
// advance. A store without a clock of its own has the system clock.
package clock

import (
	"errors"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// MaxStores bounds the stores that have a clock of their own.
const MaxStores = 1000

// Min and Max bound the time of a store. Dates outside of them have no form on the wire.
var (
	Min = time.Unix(0, 0).UTC()
	Max = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// The errors of changes.
var (
	// ErrRange: the store's time would be before Min or after Max.
	ErrRange = errors.New("clock: the time is out of range")
	// ErrOffset: the difference to the system clock would not fit into a time.Duration,
	// which has about 292 years.
	ErrOffset = errors.New("clock: the offset is too large")
	// ErrBackward: a clock is advanced by nothing, or backward.
	ErrBackward = errors.New("clock: a clock is advanced forward")
	// ErrFull: MaxStores other stores have a clock of their own. Retain may make room.
	ErrFull = errors.New("clock: too many stores with a clock")
)

// Set has the clocks of all stores, by the key of the store: a later store of the same
// hash has another. The zero value is empty and reads the system clock. A Set is safe for
// concurrent use. A nil Set is empty too; it must not be changed, except by Clear.
type Set struct {
	system func() time.Time // nil: time.Now

	// clocks is nil if no store has a clock, so that a read costs one atomic load. The
	// map is never changed, only replaced.
	clocks atomic.Pointer[map[string]setting]

	mu       sync.Mutex // of changes
	watchers []func()
}

// setting is the clock of a store: frozen, or a running one with an offset.
type setting struct {
	frozenAt time.Time // zero: it runs
	offset   time.Duration
}

// State is what a clock shows.
type State struct {
	Now    time.Time // UTC
	Frozen bool
	// Offset is how far a running clock is ahead of the system clock.
	Offset time.Duration
}

// New returns an empty set, whose running clocks follow a system clock.
func New(system func() time.Time) *Set { return &Set{system: system} }

// Now returns the current time of a store.
func (s *Set) Now(storeKey string) time.Time { return s.At(storeKey, s.systemNow()) }

func (s *Set) systemNow() time.Time {
	if s == nil || s.system == nil {
		return time.Now()
	}
	return s.system()
}

// At returns the time of a store when the system clock shows a time: that time itself, if
// the store has no clock of its own.
func (s *Set) At(storeKey string, system time.Time) time.Time {
	clocks := s.all()
	if clocks == nil {
		return system
	}
	if c, ok := clocks[storeKey]; ok {
		return c.at(system)
	}
	return system
}

// Times returns the times of the stores that have a clock of their own, by key, when the
// system clock shows a time. It returns nil if there are none.
func (s *Set) Times(system time.Time) map[string]time.Time {
	clocks := s.all()
	if clocks == nil {
		return nil
	}
	times := make(map[string]time.Time, len(clocks))
	for key, c := range clocks {
		times[key] = c.at(system)
	}
	return times
}

func (s *Set) all() map[string]setting {
	if s == nil {
		return nil
	}
	if clocks := s.clocks.Load(); clocks != nil {
		return *clocks
	}
	return nil
}

func (c setting) at(system time.Time) time.Time {
	if !c.frozenAt.IsZero() {
		return c.frozenAt
	}
	switch t := system.Add(c.offset); {
	case t.Before(Min):
		return Min
	case t.After(Max):
		return Max
	default:
		return t
	}
}

// Get returns the state of a store's clock. That of a store without one has no offset.
func (s *Set) Get(storeKey string) State {
	c := s.all()[storeKey]
	return State{Now: c.at(s.systemNow()).UTC(), Frozen: !c.frozenAt.IsZero(), Offset: c.offset}
}

// Freeze stops the clock of a store at a time, in milliseconds. It returns ErrRange or
// ErrFull, and then changes nothing.
func (s *Set) Freeze(storeKey string, at time.Time) error {
	return s.change(storeKey, func(setting, time.Time) (setting, error) { return frozen(at) })
}

// Stop is Freeze at the time that the clock shows.
func (s *Set) Stop(storeKey string) error {
	return s.change(storeKey, func(c setting, system time.Time) (setting, error) { return frozen(c.at(system)) })
}

func frozen(at time.Time) (setting, error) {
	at = at.UTC().Truncate(time.Millisecond)
	return setting{frozenAt: at}, inRange(at)
}

// Offset makes the clock of a store run at a distance from the system clock; a negative
// one is behind it. It returns ErrRange or ErrFull, and then changes nothing.
func (s *Set) Offset(storeKey string, by time.Duration) error {
	return s.change(storeKey, func(_ setting, system time.Time) (setting, error) {
		return setting{offset: by}, inRange(system.Add(by))
	})
}

// Advance moves the clock of a store forward, which stays frozen or goes on running. It
// returns ErrBackward unless by is positive, or ErrRange, ErrOffset or ErrFull, and then
// changes nothing.
func (s *Set) Advance(storeKey string, by time.Duration) error {
	if by <= 0 {
		return ErrBackward
	}
	return s.change(storeKey, func(c setting, system time.Time) (setting, error) {
		if !c.frozenAt.IsZero() {
			return frozen(c.frozenAt.Add(by))
		}
		if c.offset > math.MaxInt64-by {
			return c, ErrOffset
		}
		c.offset += by
		return c, inRange(system.Add(c.offset))
	})
}

func inRange(t time.Time) error {
	if t.Before(Min) || t.After(Max) {
		return ErrRange
	}
	return nil
}

// Clear gives a store the system clock again.
func (s *Set) Clear(storeKey string) {
	if _, has := s.all()[storeKey]; has {
		_ = s.change(storeKey, func(setting, time.Time) (setting, error) { return setting{}, nil }) // it cannot fail
	}
}

// Retain removes the clocks of all stores but those with the given keys.
func (s *Set) Retain(storeKeys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := map[string]setting{}
	for _, key := range storeKeys {
		if c, ok := s.all()[key]; ok {
			kept[key] = c
		}
	}
	s.store(kept)
}

// Watch adds a function that is called after each change of a clock. It must not change
// one.
func (s *Set) Watch(changed func()) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, changed)
}

// change replaces the clock of a store by what next makes of it. A running clock without
// an offset is none.
func (s *Set) change(storeKey string, next func(c setting, system time.Time) (setting, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, had := s.all()[storeKey]
	after, err := next(before, s.systemNow())
	if err != nil {
		return err
	}
	clocks := maps.Clone(s.all())
	switch {
	case after == setting{}:
		delete(clocks, storeKey)
	case !had && len(clocks) >= MaxStores:
		return ErrFull
	case clocks == nil:
		clocks = map[string]setting{storeKey: after}
	default:
		clocks[storeKey] = after
	}
	s.store(clocks)
	for _, changed := range s.watchers {
		changed()
	}
	return nil
}

// store replaces all clocks. The caller holds the lock.
func (s *Set) store(clocks map[string]setting) {
	if len(clocks) == 0 {
		s.clocks.Store(nil)
		return
	}
	s.clocks.Store(&clocks)
}
