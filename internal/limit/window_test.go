package limit

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// clock is a clock that only moves when the test advances it.
type clock struct{ time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.Time }
func (c *clock) ofAny(string) time.Time  { return c.Time }
func (c *clock) advance(d time.Duration) { c.Time = c.Add(d) }

const length = 30 * time.Second

// A window begins with the first call after the previous window has ended, and allows the
// limit once.
func TestWindow(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindows(length, c.ofAny)
	take := func(key string, limit int) (Usage, bool) { return w.take(windowKey{key, ""}, limit, c.now()) }
	usage := func(key string, limit int) (Usage, bool) { return w.usage(windowKey{key, ""}, limit, c.now()), true }
	for _, step := range []struct {
		name  string
		after time.Duration
		do    func(string, int) (Usage, bool)
		key   string
		limit int
		want  Usage
		ok    bool
	}{
		{"usage uses nothing up", 0, usage, "a", 2, Usage{2, 2, length}, true},
		{"and begins no window", time.Hour, take, "a", 2, Usage{2, 1, length}, true},
		{"usage in a window", 10 * time.Second, usage, "a", 2, Usage{2, 1, 20 * time.Second}, true},
		{"the last call", 0, take, "a", 2, Usage{2, 0, 20 * time.Second}, true},
		{"one call too many", 0, take, "a", 2, Usage{2, 0, 20 * time.Second}, false},
		{"another key", 0, take, "b", 2, Usage{2, 1, length}, true},
		{"a raised limit; the rejected call did not count", 0, take, "a", 3, Usage{3, 0, 20 * time.Second}, true},
		{"a lowered limit", 0, take, "a", 1, Usage{1, 0, 20 * time.Second}, false},
		{"just before the end", 20*time.Second - 1, take, "a", 3, Usage{3, 0, 1}, false},
		{"at the end", 1, usage, "a", 3, Usage{3, 3, length}, true},
		{"the next window", time.Second, take, "a", 3, Usage{3, 2, length}, true},
		{"the other key has its own window", 0, usage, "b", 2, Usage{2, 1, 9 * time.Second}, true},
		{"a limit of zero", 0, take, "c", 0, Usage{0, 0, length}, false},
	} {
		c.advance(step.after)
		got, ok := step.do(step.key, step.limit)
		if got != step.want || ok != step.ok {
			t.Errorf("%s: %+v, %v; want %+v, %v", step.name, got, ok, step.want, step.ok)
		}
	}
}

// TestWindowModel compares windows with a model over random calls.
func TestWindowModel(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindows(length, c.ofAny)
	type model struct {
		ends time.Time
		used int
	}
	models := map[string]*model{}
	random := rand.New(rand.NewPCG(1, 2))
	granted, rejected := 0, 0
	for range 20_000 {
		c.advance(time.Duration(random.Int64N(int64(2 * time.Second))))
		key, limit := strconv.Itoa(random.IntN(3)), 1+random.IntN(8)
		m := models[key]
		if m == nil || !c.Before(m.ends) {
			m = &model{ends: c.Add(length)}
			models[key] = m
		}
		want := m.used < limit
		if want {
			m.used++
			granted++
		} else {
			rejected++
		}
		left := max(limit-m.used, 0)
		if got, ok := w.take(windowKey{key, ""}, limit, c.now()); ok != want || got != (Usage{limit, left, m.ends.Sub(c.Time)}) {
			t.Fatalf("take(%s, %d): %+v, %v; want %v with %d left", key, limit, got, ok, want, left)
		}
		if m.used == 0 {
			delete(models, key) // a rejected call begins no window
		}
	}
	if granted < 1000 || rejected < 1000 {
		t.Errorf("%d calls were granted and %d rejected, want at least 1000 each", granted, rejected)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for reset, want := range map[time.Duration]int{
		length: 30, 29*time.Second + 1: 30, 29 * time.Second: 29, time.Second: 1, 1: 1, 0: 1, -time.Second: 1,
	} {
		if got := retryAfter(reset); got != want {
			t.Errorf("%v before the next window: retry after %d s, want %d", reset, got, want)
		}
	}
}

// Expired counters are dropped: at most about twice as many counters are kept as windows
// are running.
func TestWindowsArePurged(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindows(length, c.ofAny)
	next := 0
	take := func(n int, pause time.Duration) (most int) {
		for range n {
			c.advance(pause)
			next++
			w.take(windowKey{"a", strconv.Itoa(next)}, 1, c.now())
			most = max(most, len(w.counters))
		}
		return most
	}
	// 3000 windows run at a time.
	if most := take(50_000, length/3000); most > 2*3000+2 {
		t.Errorf("%d counters for 3000 running windows", most)
	}
	// A burst: all windows are running, so all counters must be kept.
	take(20_000, 0)
	if len(w.counters) < 20_000 {
		t.Fatalf("%d counters for 20000 running windows", len(w.counters))
	}
	// After the burst, one window runs at a time.
	if take(50_000, length); len(w.counters) > minPurge {
		t.Errorf("%d counters long after the burst", len(w.counters))
	}
	// No counter of a running window is dropped.
	w.take(windowKey{"a", "still running"}, 1, c.now())
	take(10*minPurge, 0)
	if _, ok := w.take(windowKey{"a", "still running"}, 1, c.now()); ok {
		t.Error("the counter of a running window was dropped")
	}
}

// Rejected calls take no memory.
func TestRejectedCallsTakeNoMemory(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindows(length, c.ofAny)
	for i := range 10 {
		w.take(windowKey{"a", strconv.Itoa(i)}, 0, c.now())
		w.usage(windowKey{"a", strconv.Itoa(i)}, 1, c.now())
	}
	if len(w.counters) != 0 {
		t.Errorf("%d counters for rejected calls", len(w.counters))
	}
}

// clocks are clocks of stores that only move when the test advances them.
type clocks map[string]*clock

func (c clocks) now(store string) time.Time { return c[store].now() }

// The windows of a store follow its clock, whatever those of other stores show.
func TestWindowsFollowTheClockOfTheStore(t *testing.T) {
	t.Parallel()
	c := clocks{"frozen": newClock(), "moved": newClock()}
	m := NewMemoryWithClocks(c.now)
	request := func(store string) Request {
		return Request{Store: store, Operation: "check", Path: "7//", PerPath: 2, PerStore: 9, Quota: 3, Metered: true}
	}
	want := func(what, store, rejectedBy string, left, retryAfter int, reset time.Duration) {
		t.Helper()
		d, done := m.Admit(request(store))
		done()
		if d != (Decision{rejectedBy, retryAfter, Usage{3, left, reset}}) {
			t.Errorf("%s: %+v", what, d)
		}
		if u := m.QuotaUsage(store, 3); u != d.Quota {
			t.Errorf("%s: the usage is %+v", what, u)
		}
	}
	for _, store := range []string{"frozen", "moved"} {
		want("the first call", store, "", 2, 0, quotaWindow)
		want("the second", store, "", 1, 0, quotaWindow)
		want("the third for one path", store, Rate, 1, 60, quotaWindow)
	}
	c["moved"].advance(29 * time.Second)
	want("before the quota's end", "moved", Rate, 1, 31, time.Second)
	c["moved"].advance(time.Second)
	want("a new window of the quota", "moved", Rate, 3, 30, quotaWindow)
	c["moved"].advance(30 * time.Second)
	want("new windows of both", "moved", "", 2, 0, quotaWindow)
	want("a frozen clock", "frozen", Rate, 1, 60, quotaWindow)

	// A clock that goes back leaves the windows that lie ahead.
	c["moved"].Time = newClock().AddDate(-50, 0, 0)
	want("a clock that has gone back", "moved", "", 2, 0, quotaWindow)
	want("the second call there", "moved", "", 1, 0, quotaWindow)
	want("the third", "moved", Rate, 1, 60, quotaWindow)
	m.Exhaust("moved", 3)
	want("exhausted", "moved", Rate, 0, 60, quotaWindow)
	c["moved"].Time = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)
	want("the last time of a store", "moved", "", 2, 0, quotaWindow)
	want("a frozen clock", "frozen", Rate, 1, 60, quotaWindow)
}

// Whether a counter has expired is a matter of its own store's clock: a store that is far
// ahead drops no counter of another.
func TestPurgeFollowsTheClockOfTheStore(t *testing.T) {
	t.Parallel()
	c := clocks{"frozen": newClock(), "ahead": newClock()}
	w := newWindows(length, c.now)
	take := func(store, calls string) bool {
		_, ok := w.take(windowKey{store, calls}, 1, c.now(store))
		return ok
	}
	take("frozen", "kept")
	c["ahead"].Time = c["ahead"].AddDate(100, 0, 0)
	for i := range 10 * minPurge {
		c["ahead"].advance(length)
		take("ahead", strconv.Itoa(i))
	}
	if len(w.counters) > minPurge {
		t.Errorf("%d counters for two running windows", len(w.counters))
	}
	if take("frozen", "kept") {
		t.Error("the counter of a running window was dropped")
	}
}
