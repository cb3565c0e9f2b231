package limit

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// clock stands still until it is moved.
type clock struct{ time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.Time }
func (c *clock) advance(d time.Duration) { c.Time = c.Add(d) }

const length = 30 * time.Second

// A window begins with the first call after the last one's end, and until it
// ends it gives out its limit once.
func TestWindow(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindow(length)
	take := func(key string, limit int) (Usage, bool) { return w.take(key, limit, c.now()) }
	look := func(key string, limit int) (Usage, bool) { return w.look(key, limit, c.now()), true }
	for _, step := range []struct {
		name  string
		after time.Duration
		do    func(string, int) (Usage, bool)
		key   string
		limit int
		want  Usage
		ok    bool
	}{
		{"a look uses nothing up", 0, look, "a", 2, Usage{2, 2, length}, true},
		{"and begins no window", time.Hour, take, "a", 2, Usage{2, 1, length}, true},
		{"a look into a window", 10 * time.Second, look, "a", 2, Usage{2, 1, 20 * time.Second}, true},
		{"the last one", 0, take, "a", 2, Usage{2, 0, 20 * time.Second}, true},
		{"one too many", 0, take, "a", 2, Usage{2, 0, 20 * time.Second}, false},
		{"another key", 0, take, "b", 2, Usage{2, 1, length}, true},
		{"a limit that was raised; the refused one did not count", 0, take, "a", 3, Usage{3, 0, 20 * time.Second}, true},
		{"a limit that was lowered", 0, take, "a", 1, Usage{1, 0, 20 * time.Second}, false},
		{"just before the end", 20*time.Second - 1, take, "a", 3, Usage{3, 0, 1}, false},
		{"at the end", 1, look, "a", 3, Usage{3, 3, length}, true},
		{"the next window", time.Second, take, "a", 3, Usage{3, 2, length}, true},
		{"the other key's window ends apart", 0, look, "b", 2, Usage{2, 1, 9 * time.Second}, true},
		{"a limit of nothing", 0, take, "c", 0, Usage{0, 0, length}, false},
	} {
		c.advance(step.after)
		got, ok := step.do(step.key, step.limit)
		if got != step.want || ok != step.ok {
			t.Errorf("%s: %+v, %v; want %+v, %v", step.name, got, ok, step.want, step.ok)
		}
	}
}

// Whatever the order of calls, a key never gets more than its limit between
// the beginning of a window and its end.
func TestWindowAgainstModel(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindow(length)
	type model struct {
		ends time.Time
		used int
	}
	models := map[string]*model{}
	random := rand.New(rand.NewPCG(1, 2))
	granted, refused := 0, 0
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
			refused++
		}
		left := max(limit-m.used, 0)
		if got, ok := w.take(key, limit, c.now()); ok != want || got != (Usage{limit, left, m.ends.Sub(c.Time)}) {
			t.Fatalf("take(%s, %d): %+v, %v; want %v with %d left", key, limit, got, ok, want, left)
		}
		if m.used == 0 {
			delete(models, key) // what is refused begins no window
		}
	}
	if granted < 1000 || refused < 1000 {
		t.Errorf("%d calls were granted and %d refused, which shows little", granted, refused)
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

// What is kept is what is running, up to a factor of two: a store that is
// called for ever, and each time about something else, does not fill the memory.
func TestWindowForgets(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindow(length)
	next := 0
	take := func(n int, pause time.Duration) (most int) {
		for range n {
			c.advance(pause)
			next++
			w.take(strconv.Itoa(next), 1, c.now())
			most = max(most, len(w.spans))
		}
		return most
	}
	// 3000 windows run at any time.
	if most := take(50_000, length/3000); most > 2*3000+2 {
		t.Errorf("with 3000 windows running %d are kept", most)
	}
	// A rush: none of these is over, so all of them have to be kept.
	take(20_000, 0)
	if len(w.spans) < 20_000 {
		t.Fatalf("of 20000 windows that are running %d are kept", len(w.spans))
	}
	// After it, one window at a time.
	if take(50_000, length); len(w.spans) > minPurge {
		t.Errorf("long after a rush %d windows are kept", len(w.spans))
	}
	// Nothing that was running was forgotten.
	w.take("still running", 1, c.now())
	take(10*minPurge, 0)
	if _, ok := w.take("still running", 1, c.now()); ok {
		t.Error("a window was forgotten before its end")
	}
}

// Refused calls keep nothing.
func TestWindowKeepsNothingOfTheRefused(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindow(length)
	for i := range 10 {
		w.take(strconv.Itoa(i), 0, c.now())
		w.look(strconv.Itoa(i), 1, c.now())
	}
	if len(w.spans) != 0 {
		t.Errorf("%d windows are kept of calls that were not granted", len(w.spans))
	}
}
