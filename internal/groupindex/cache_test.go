package groupindex

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"cohort.example/cohort"
)

var all = NewFilter(cohort.GroupFilter{}, strings.ToLower)

// loads is a Loader that waits until it is told what there is.
type loads struct {
	begun chan string // stores
	end   chan loaded
	limit int
}

type loaded struct {
	entries []Entry
	err     error
}

// newLoads returns rosters of a bubble whose loads the test ends.
func newLoads(limit int) (*Cache, *loads) {
	l := &loads{begun: make(chan string, 10), end: make(chan loaded)}
	rs := NewCache(func(storeHash string, limit int) ([]Entry, error) {
		l.begun <- storeHash
		l.limit = limit
		r := <-l.end
		return r.entries, r.err
	})
	rs.limit = limit
	return rs, l
}

// put and delete are commits of one change.
func (rs *Cache) put(store string, e Entry)     { rs.Apply(store, []Edit{Put(e)}) }
func (rs *Cache) delete(store string, id int64) { rs.Apply(store, []Edit{Delete(id)}) }

// finish ends the load that waits.
func (l *loads) finish(entries []Entry, err error) {
	l.end <- loaded{entries, err}
	synctest.Wait()
}

// wantLoading fails unless just these loads have begun since the last call.
func (l *loads) wantLoading(t *testing.T, stores ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for len(l.begun) > 0 {
		got = append(got, <-l.begun)
	}
	if !slices.Equal(got, stores) {
		t.Errorf("loads of %q began, want %q", got, stores)
	}
}

// wantIDs fails unless the store has a roster with these ids.
func wantIDs(t *testing.T, rs *Cache, store string, ids ...int64) {
	t.Helper()
	r := rs.Get(store)
	if r == nil {
		t.Errorf("%s has no index", store)
		return
	}
	if got := r.Page(all, 0, 0, 1000); !slices.Equal(got, ids) {
		t.Errorf("%s has %v, want %v", store, got, ids)
	}
}

func wantNone(t *testing.T, rs *Cache, stores ...string) {
	t.Helper()
	for _, store := range stores {
		if rs.Get(store) != nil {
			t.Errorf("%s has a index", store)
		}
	}
}

func TestIndexIsLoadedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(100)
		for range 3 {
			wantNone(t, rs, "a") // nobody waits for it
			synctest.Wait()
		}
		l.wantLoading(t, "a")
		l.finish(entriesOf(3), nil)
		wantIDs(t, rs, "a", 1, 2, 3)
		rs.put("a", entry(4))
		rs.delete("a", 2)
		rs.delete("a", 99)
		wantIDs(t, rs, "a", 1, 3, 4)
		rs.put("b", entry(1)) // nobody has asked for it
		rs.delete("b", 1)
		l.wantLoading(t)
		wantNone(t, rs, "b")
		l.wantLoading(t, "b")
		l.finish(nil, nil)
		wantIDs(t, rs, "b")
		wantIDs(t, rs, "a", 1, 3, 4)
	})
}

// A store that is too large is read once, and not time and again.
func TestStoreThatIsTooLarge(t *testing.T) {
	const limit = 10
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(limit)
		wantNone(t, rs, "large")
		l.finish(entriesOf(limit+1), nil)
		if l.limit <= limit {
			t.Errorf("%d entries are asked for, which does not show that there are more than %d", l.limit, limit)
		}
		wantNone(t, rs, "large")
		rs.put("large", entry(99))
		rs.delete("large", 1)
		wantNone(t, rs, "large")
		l.wantLoading(t, "large")

		wantNone(t, rs, "full")
		l.finish(entriesOf(limit), nil)
		l.wantLoading(t, "full")
		rs.put("full", entry(1))
		wantIDs(t, rs, "full", idsOf(entriesOf(limit))...)
		rs.put("full", entry(limit+1))
		wantNone(t, rs, "full")
		rs.delete("full", 1)
		wantNone(t, rs, "full")
		l.wantLoading(t)

		rs.Forget()
		wantNone(t, rs, "large")
		l.finish(entriesOf(limit), nil)
		wantIDs(t, rs, "large", idsOf(entriesOf(limit))...)
	})
}

func TestLeastRecentlyUsedGoes(t *testing.T) {
	const limit = 10
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(limit)
		load := func(store string, n int) {
			t.Helper()
			wantNone(t, rs, store)
			l.wantLoading(t, store)
			l.finish(entriesOf(n), nil)
		}
		for _, store := range []string{"a", "b", "c"} {
			load(store, 3)
		}
		wantIDs(t, rs, "a", 1, 2, 3)
		rs.put("b", entry(3)) // to change it is not to use it
		load("d", 3)          // in place of b, not of a or c
		for _, store := range []string{"a", "c", "d"} {
			wantIDs(t, rs, store, 1, 2, 3)
		}
		load("b", 7) // in place of a and c: together with one of them it is just as much as fits
		wantIDs(t, rs, "d", 1, 2, 3)
		wantIDs(t, rs, "b", 1, 2, 3, 4, 5, 6, 7)
		load("e", limit) // in place of all
		wantIDs(t, rs, "e", idsOf(entriesOf(limit))...)
		rs.put("d", entry(4)) // a roster that is gone does not come back by a change
		load("d", 1)          // and takes the place of the others again
		wantIDs(t, rs, "d", 1)
	})
}

// Whoever learns that there is no roster need not tell of what was committed
// before. Whoever asks for one then loads that too.
func TestHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(100)
		want := func(has bool, when string) {
			t.Helper()
			if rs.Has("a") != has {
				t.Errorf("%s there is one: %v", when, !has)
			}
		}
		want(false, "before anybody asks")
		wantNone(t, rs, "a")
		want(true, "as soon as it is loaded")
		l.finish(entriesOf(1), nil)
		want(true, "when it is loaded")
		rs.Forget()
		want(false, "when it is forgotten")
		l.wantLoading(t, "a")
		wantNone(t, rs, "a")
		l.finish(nil, errors.New("ours"))
		want(false, "after it could not be loaded")
	})
}

// Whatever happens at once, what a store has at the end is what was put there.
// The race detector looks on.
func TestIndexsAtOnce(t *testing.T) {
	const stores, groups = 4, 300
	var mu sync.Mutex
	there := map[string][]Entry{}
	rs := NewCache(func(store string, limit int) ([]Entry, error) {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(there[store]), nil
	})
	var wg sync.WaitGroup
	for i := range stores {
		store := fmt.Sprint(i)
		wg.Go(func() {
			for id := int64(1); id <= groups; id++ {
				mu.Lock() // is the commit
				there[store] = append(there[store], entry(id))
				mu.Unlock()
				rs.put(store, entry(id))
				if r := rs.Get(store); r != nil && r.Size() != int(id) {
					t.Errorf("after %d groups the index has %d", id, r.Size())
				}
				if id%50 == 0 && store == "0" {
					rs.Forget()
				}
			}
		})
		wg.Go(func() {
			for range groups {
				if r := rs.Get(store); r != nil {
					r.Count(all)
				}
			}
		})
	}
	wg.Wait()
}
