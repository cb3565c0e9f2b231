package clock_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/clock"

	"pgregory.net/rapid"
)

// t0 is the time at which the system clock of a test starts.
var t0 = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

const years = 365 * 24 * time.Hour

// model is what the clock of one store should do, in seconds since t0. It counts in
// numbers that cannot overflow.
type model struct {
	frozen bool
	at     int64 // if frozen
	offset int64 // if running
}

func (m model) now(system int64) int64 {
	if m.frozen {
		return m.at
	}
	return min(max(system+m.offset, first), last)
}

// The bounds of a store's time and of an offset, as the model has them.
var (
	first   = clock.Min.Unix() - t0.Unix()
	last    = clock.Max.Unix() - t0.Unix()
	longest = int64(math.MaxInt64 / time.Second)
)

func outside(t int64) bool { return t < first || t > last }

// Any changes of two stores' clocks show what the model says, and an error changes
// nothing.
func TestSetModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		system := int64(0)
		s := clock.New(func() time.Time { return t0.Add(time.Duration(system) * time.Second) })
		stores := []string{"abc", "abc~2", "none"}
		models := map[string]*model{"abc": {}, "abc~2": {}, "none": {}}
		seconds := rapid.OneOf(rapid.Int64Range(-1000, 1000), rapid.Int64Range(-longest, longest))
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			key := rapid.SampledFrom(stores[:2]).Draw(t, "store")
			m, by := models[key], seconds.Draw(t, "by")
			next, want := *m, error(nil)
			var err error
			switch rapid.SampledFrom([]string{"freeze", "stop", "offset", "advance", "clear", "wait"}).Draw(t, "change") {
			case "freeze":
				next, err = model{frozen: true, at: by}, s.Freeze(key, t0.Add(time.Duration(by)*time.Second))
			case "stop":
				next, err = model{frozen: true, at: m.now(system)}, s.Stop(key)
			case "offset":
				next, err = model{offset: by}, s.Offset(key, time.Duration(by)*time.Second)
			case "advance":
				switch {
				case by <= 0:
					want = clock.ErrBackward
				case m.frozen:
					next.at += by
				default:
					next.offset += by
				}
				if next.offset > longest {
					want = clock.ErrOffset
				}
				err = s.Advance(key, time.Duration(by)*time.Second)
			case "clear":
				next = model{}
				s.Clear(key)
			case "wait":
				system += max(by, -by) % 1000
			}
			if want == nil && (next.frozen && outside(next.at) || !next.frozen && next != *m && outside(system+next.offset)) {
				want = clock.ErrRange
			}
			if !errors.Is(err, want) {
				t.Fatalf("%+v by %d s: error %v, want %v", *m, by, err, want)
			}
			if want == nil {
				*m = next
			}
			check(t, s, system, models)
		}
	})
}

// check compares all ways to read the clocks with the models.
func check(t *rapid.T, s *clock.Set, system int64, models map[string]*model) {
	now := t0.Add(time.Duration(system) * time.Second)
	times := s.Times(now)
	for key, m := range models {
		want := time.Unix(t0.Unix()+m.now(system), 0)
		if got := s.Now(key); !got.Equal(want) {
			t.Fatalf("store %s: %v, want %v", key, got, want)
		}
		if got := s.At(key, now); !got.Equal(want) {
			t.Fatalf("store %s at the system's time: %v, want %v", key, got, want)
		}
		got := s.Get(key)
		if !got.Now.Equal(want) || got.Now.Location() != time.UTC || got.Frozen != m.frozen || got.Offset != time.Duration(m.offset)*time.Second {
			t.Fatalf("store %s: %+v, want %v of %+v", key, got, want, *m)
		}
		at, own := times[key]
		if own != (*m != model{}) || own && !at.Equal(want) {
			t.Fatalf("store %s: %v in the list: %v, want %v of %+v", key, at, own, want, *m)
		}
	}
}

// Times that no store can have.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := clock.New(func() time.Time { return t0 })
	for name, test := range map[string]struct {
		change func() error
		want   error
	}{
		"1970":                   {func() error { return s.Freeze("a", clock.Min) }, nil},
		"before 1970":            {func() error { return s.Freeze("a", clock.Min.Add(-time.Millisecond)) }, clock.ErrRange},
		"9999":                   {func() error { return s.Freeze("a", clock.Max) }, nil},
		"after 9999":             {func() error { return s.Freeze("a", clock.Max.Add(time.Millisecond)) }, clock.ErrRange},
		"the year 1":             {func() error { return s.Freeze("a", time.Time{}) }, clock.ErrRange},
		"the year 1 million":     {func() error { return s.Freeze("a", time.Date(1_000_000, 1, 1, 0, 0, 0, 0, time.UTC)) }, clock.ErrRange},
		"behind":                 {func() error { return s.Offset("a", -56*years) }, nil},
		"behind 1970":            {func() error { return s.Offset("a", -57*years) }, clock.ErrRange},
		"the least offset":       {func() error { return s.Offset("a", math.MinInt64) }, clock.ErrRange},
		"the greatest offset":    {func() error { return s.Offset("a", math.MaxInt64) }, nil},
		"a nanosecond more":      {func() error { return errors.Join(s.Offset("a", math.MaxInt64), s.Advance("a", 1)) }, clock.ErrOffset},
		"frozen and then beyond": {func() error { return errors.Join(s.Freeze("a", clock.Max), s.Advance("a", time.Second)) }, clock.ErrRange},
		"nothing":                {func() error { return s.Advance("a", 0) }, clock.ErrBackward},
		"backward":               {func() error { return s.Advance("a", math.MinInt64) }, clock.ErrBackward},
	} {
		s.Clear("a")
		if err := test.change(); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
	}
}

// A clock that runs towards the last time stands there.
func TestRunningClockStopsAtTheBounds(t *testing.T) {
	t.Parallel()
	system := clock.Max.Add(-time.Hour)
	s := clock.New(func() time.Time { return system })
	if err := s.Advance("a", time.Minute); err != nil {
		t.Fatal(err)
	}
	system = system.Add(2 * time.Hour)
	if got := s.Now("a"); !got.Equal(clock.Max) {
		t.Errorf("the time is %v", got)
	}
	if err := s.Offset("a", -time.Hour); err != nil {
		t.Fatal(err)
	}
	system = clock.Min
	if got := s.Now("a"); !got.Equal(clock.Min) {
		t.Errorf("the time is %v", got)
	}
}

// A set without clocks has the system clock, and so has a nil set.
func TestSystemClock(t *testing.T) {
	t.Parallel()
	var zero clock.Set
	for name, s := range map[string]*clock.Set{"nil": nil, "zero": &zero} {
		s.Clear("a")
		s.Watch(func() {})
		before := time.Now()
		now, state := s.Now("a"), s.Get("a")
		if now.Before(before) || state.Now.Before(before.Add(-time.Second)) || state.Frozen || state.Offset != 0 {
			t.Errorf("%s: %v, %+v", name, now, state)
		}
		if got := s.At("a", t0); got != t0 || s.Times(t0) != nil {
			t.Errorf("%s: %v, %v", name, got, s.Times(t0))
		}
	}
}

// Stores have a bound, and those that are gone make room.
func TestFull(t *testing.T) {
	t.Parallel()
	var s clock.Set
	for i := range clock.MaxStores {
		if err := s.Offset(fmt.Sprint("store-", i), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(key string) error{
		"freeze":  func(key string) error { return s.Freeze(key, t0) },
		"stop":    s.Stop,
		"offset":  func(key string) error { return s.Offset(key, time.Hour) },
		"advance": func(key string) error { return s.Advance(key, time.Hour) },
	} {
		if err := change("more"); !errors.Is(err, clock.ErrFull) {
			t.Errorf("%s: error %v", name, err)
		}
		if err := change("store-7"); err != nil {
			t.Errorf("%s of a store with a clock: %v", name, err)
		}
	}
	if err := s.Offset("more", 0); err != nil { // no clock of its own
		t.Error(err)
	}
	s.Retain([]string{"store-7", "gone"})
	if times := s.Times(t0); len(times) != 1 || times["store-7"].IsZero() {
		t.Errorf("the clocks are %v", times)
	}
	s.Retain(nil)
	if times := s.Times(t0); times != nil {
		t.Errorf("the clocks are %v", times)
	}
}

// Each change is told, and no other call is.
func TestWatch(t *testing.T) {
	t.Parallel()
	var s clock.Set
	told := 0
	s.Watch(func() { told++ })
	for i, change := range []func() error{
		func() error { return s.Freeze("a", t0) },
		func() error { return s.Advance("a", time.Second) },
		func() error { return s.Offset("a", time.Second) },
		func() error { s.Clear("a"); return nil },
	} {
		if err := change(); err != nil || told != i+1 {
			t.Errorf("after change %d: told %d times, error %v", i+1, told, err)
		}
	}
	s.Clear("a")
	if err := s.Advance("a", -1); err == nil || told != 4 {
		t.Errorf("told %d times, error %v", told, err)
	}
	s.Now("a")
	if told != 4 {
		t.Errorf("a read is told")
	}
}

// Concurrent advances all count, and readers see no time that goes back.
func TestAdvanceTogether(t *testing.T) {
	t.Parallel()
	s := clock.New(func() time.Time { return t0 })
	if err := s.Freeze("a", t0); err != nil {
		t.Fatal(err)
	}
	const callers, each = 8, 50
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			last := t0
			for range callers * each {
				now := s.Now("a")
				if now.Before(last) {
					t.Errorf("%v after %v", now, last)
				}
				last = now
				runtime.Gosched()
			}
		})
		all.Go(func() {
			for range each {
				if err := s.Advance("a", time.Second); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := s.Now("a"); !got.Equal(t0.Add(callers * each * time.Second)) {
		t.Errorf("the time is %v", got)
	}
}

// A store without a clock costs one atomic read.
func BenchmarkAtNone(b *testing.B) {
	var s clock.Set
	for b.Loop() {
		s.At("abc", t0)
	}
}
