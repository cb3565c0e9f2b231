package server

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
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
	w := newWindow(length, c.now)
	take := w.take
	look := func(key string, limit int) (usage, bool) { return w.look(key, limit), true }
	for _, step := range []struct {
		name  string
		after time.Duration
		do    func(string, int) (usage, bool)
		key   string
		limit int
		want  usage
		ok    bool
	}{
		{"a look uses nothing up", 0, look, "a", 2, usage{2, 2, length}, true},
		{"and begins no window", time.Hour, take, "a", 2, usage{2, 1, length}, true},
		{"a look into a window", 10 * time.Second, look, "a", 2, usage{2, 1, 20 * time.Second}, true},
		{"the last one", 0, take, "a", 2, usage{2, 0, 20 * time.Second}, true},
		{"one too many", 0, take, "a", 2, usage{2, 0, 20 * time.Second}, false},
		{"another key", 0, take, "b", 2, usage{2, 1, length}, true},
		{"a limit that was raised; the refused one did not count", 0, take, "a", 3, usage{3, 0, 20 * time.Second}, true},
		{"a limit that was lowered", 0, take, "a", 1, usage{1, 0, 20 * time.Second}, false},
		{"just before the end", 20*time.Second - 1, take, "a", 3, usage{3, 0, 1}, false},
		{"at the end", 1, look, "a", 3, usage{3, 3, length}, true},
		{"the next window", time.Second, take, "a", 3, usage{3, 2, length}, true},
		{"the other key's window ends apart", 0, look, "b", 2, usage{2, 1, 9 * time.Second}, true},
		{"a limit of nothing", 0, take, "c", 0, usage{0, 0, length}, false},
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
	w := newWindow(length, c.now)
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
		if got, ok := w.take(key, limit); ok != want || got != (usage{limit, left, m.ends.Sub(c.Time)}) {
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
		if got := (usage{reset: reset}).retryAfter(); got != want {
			t.Errorf("%v before the next window: retry after %d s, want %d", reset, got, want)
		}
	}
}

// What is kept is what is running, up to a factor of two: a store that is
// called for ever, and each time about something else, does not fill the memory.
func TestWindowForgets(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWindow(length, c.now)
	next := 0
	take := func(n int, pause time.Duration) (most int) {
		for range n {
			c.advance(pause)
			next++
			w.take(strconv.Itoa(next), 1)
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
	w.take("still running", 1)
	take(10*minPurge, 0)
	if _, ok := w.take("still running", 1); ok {
		t.Error("a window was forgotten before its end")
	}
}

// Refused calls keep nothing.
func TestWindowKeepsNothingOfTheRefused(t *testing.T) {
	t.Parallel()
	w := newWindow(length, newClock().now)
	for i := range 10 {
		w.take(strconv.Itoa(i), 0)
		w.look(strconv.Itoa(i), 1)
	}
	if len(w.spans) != 0 {
		t.Errorf("%d windows are kept of calls that were not granted", len(w.spans))
	}
}

// Many at once get the limit between them, no more and no less.
func TestWindowAtOnce(t *testing.T) {
	t.Parallel()
	w := newWindow(length, newClock().now)
	const callers, each, limit = 16, 100, 777
	var granted atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range each {
				if _, ok := w.take("shared", limit); ok {
					granted.Add(1)
				}
				w.take(strconv.Itoa(i*each+j), 1) // so that the map grows and is purged meanwhile
			}
		})
	}
	wg.Wait()
	if granted.Load() != limit {
		t.Errorf("%d callers got %d of a limit of %d", callers, granted.Load(), limit)
	}
}

// validate is a route with a rate, of a store's customer.
var validate = api.Route{Operation: "validatePassword", PerMinute: api.Rate{PerPath: 10, PerStore: 300}}

func admit(l *limits, store cohort.Store, customer int) *refused {
	release, no := l.admit(http.Header{}, store, validate, api.IDs{{Name: "customer_id", Digits: strconv.Itoa(customer)}})
	release()
	return no
}

// A caller who goes on and on past a store's rate, each time about another
// customer, does not fill the memory.
func TestRefusedRatesKeepNothing(t *testing.T) {
	t.Parallel()
	l := newLimits(newClock().now)
	store := cohort.Store{Hash: "abc", Plan: cohort.PlanUnlimited}
	refusals := 0
	for i := range 5000 {
		if no := admit(l, store, i); no != nil {
			refusals++
		}
	}
	if refusals != 5000-300 {
		t.Errorf("%d of 5000 calls are refused, want all but 300", refusals)
	}
	if kept := len(l.rates.spans); kept > 301 {
		t.Errorf("%d windows are kept for the 300 calls that were let in", kept)
	}
}

// Whoever goes on guessing about one customer uses up the trials of no other.
func TestRefusedPathLeavesStore(t *testing.T) {
	t.Parallel()
	l := newLimits(newClock().now)
	store := cohort.Store{Hash: "abc", Plan: cohort.PlanUnlimited}
	for i := range 1000 {
		if no := admit(l, store, 1); (no == nil) != (i < 10) {
			t.Fatalf("call %d about one customer: %+v", i+1, no)
		}
	}
	others := 0
	for i := range 1000 {
		if no := admit(l, store, 1000+i); no == nil {
			others++
		}
	}
	if others != 290 {
		t.Errorf("of the store's 300 calls 10 were let in, and then %d others, want 290", others)
	}
}
