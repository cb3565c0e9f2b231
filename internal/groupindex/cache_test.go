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

// loads is a Loader whose calls wait for finish.
type loads struct {
	begun chan string // stores
	end   chan loaded
	limit int
}

type loaded struct {
	entries []Entry
	err     error
}

// newLoads returns a cache in a synctest bubble. The test ends its loads.
func newLoads(limit int) (*Cache, *loads) {
	l := &loads{begun: make(chan string, 10), end: make(chan loaded)}
	c := NewCache(func(storeKey string, limit int) ([]Entry, error) {
		l.begun <- storeKey
		l.limit = limit
		r := <-l.end
		return r.entries, r.err
	})
	c.limit = limit
	return c, l
}

// put and delete apply a commit with one edit.
func (c *Cache) put(store string, e Entry)     { c.Apply(store, []Edit{Put(e)}) }
func (c *Cache) delete(store string, id int64) { c.Apply(store, []Edit{Delete(id)}) }

// finish ends the waiting load with a result.
func (l *loads) finish(entries []Entry, err error) {
	l.end <- loaded{entries, err}
	synctest.Wait()
}

// wantLoading fails unless exactly these loads have begun since the last call.
func (l *loads) wantLoading(t *testing.T, stores ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for len(l.begun) > 0 {
		got = append(got, <-l.begun)
	}
	if !slices.Equal(got, stores) {
		t.Errorf("loads of %q have begun, want %q", got, stores)
	}
}

// wantIDs fails unless the cache has an index of the store with these ids.
func wantIDs(t *testing.T, c *Cache, store string, ids ...int64) {
	t.Helper()
	r := c.Get(store)
	if r == nil {
		t.Errorf("store %s has no index, want one", store)
		return
	}
	if got := r.Page(all, 0, 0, 1000); !slices.Equal(got, ids) {
		t.Errorf("the index of %s has ids %v, want %v", store, got, ids)
	}
}

func wantNone(t *testing.T, c *Cache, stores ...string) {
	t.Helper()
	for _, store := range stores {
		if c.Get(store) != nil {
			t.Errorf("store %s has an index, want none", store)
		}
	}
}

func TestIndexIsLoadedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(100)
		for range 3 {
			wantNone(t, c, "a") // Get does not wait for the load
			synctest.Wait()
		}
		l.wantLoading(t, "a")
		l.finish(entriesOf(3), nil)
		wantIDs(t, c, "a", 1, 2, 3)
		c.put("a", entry(4))
		c.delete("a", 2)
		c.delete("a", 99)
		wantIDs(t, c, "a", 1, 3, 4)
		c.put("b", entry(1)) // no Get has asked for b
		c.delete("b", 1)
		l.wantLoading(t)
		wantNone(t, c, "b")
		l.wantLoading(t, "b")
		l.finish(nil, nil)
		wantIDs(t, c, "b")
		wantIDs(t, c, "a", 1, 3, 4)
	})
}

// A store over the limit is loaded once, not at every Get.
func TestStoreOverTheLimit(t *testing.T) {
	const limit = 10
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(limit)
		wantNone(t, c, "large")
		l.finish(entriesOf(limit+1), nil)
		if l.limit <= limit {
			t.Errorf("the load was limited to %d entries, want more than %d to detect a store over the limit", l.limit, limit)
		}
		wantNone(t, c, "large")
		c.put("large", entry(99))
		c.delete("large", 1)
		wantNone(t, c, "large")
		l.wantLoading(t, "large")

		wantNone(t, c, "full")
		l.finish(entriesOf(limit), nil)
		l.wantLoading(t, "full")
		c.put("full", entry(1))
		wantIDs(t, c, "full", idsOf(entriesOf(limit))...)
		c.put("full", entry(limit+1))
		wantNone(t, c, "full")
		c.delete("full", 1)
		wantNone(t, c, "full")
		l.wantLoading(t)

		c.Forget()
		wantNone(t, c, "large")
		l.finish(entriesOf(limit), nil)
		wantIDs(t, c, "large", idsOf(entriesOf(limit))...)
	})
}

func TestLeastRecentlyUsedIsEvicted(t *testing.T) {
	const limit = 10
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(limit)
		load := func(store string, n int) {
			t.Helper()
			wantNone(t, c, store)
			l.wantLoading(t, store)
			l.finish(entriesOf(n), nil)
		}
		for _, store := range []string{"a", "b", "c"} {
			load(store, 3)
		}
		wantIDs(t, c, "a", 1, 2, 3)
		c.put("b", entry(3)) // an edit is not a use
		load("d", 3)         // evicts b
		for _, store := range []string{"a", "c", "d"} {
			wantIDs(t, c, store, 1, 2, 3)
		}
		load("b", 7) // evicts a and c; d and b together are exactly the limit
		wantIDs(t, c, "d", 1, 2, 3)
		wantIDs(t, c, "b", 1, 2, 3, 4, 5, 6, 7)
		load("e", limit) // evicts all others
		wantIDs(t, c, "e", idsOf(entriesOf(limit))...)
		c.put("d", entry(4)) // an edit does not restore an evicted index
		load("d", 1)         // evicts e
		wantIDs(t, c, "d", 1)
	})
}

// After Has has returned false, a load reads all that was committed before. So Has
// must return true from the first Get on.
func TestHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(100)
		want := func(has bool, when string) {
			t.Helper()
			if c.Has("a") != has {
				t.Errorf("Has returned %v %s", !has, when)
			}
		}
		want(false, "before the first Get")
		wantNone(t, c, "a")
		want(true, "during the load")
		l.finish(entriesOf(1), nil)
		want(true, "after the load")
		c.Forget()
		want(false, "after Forget")
		l.wantLoading(t, "a")
		wantNone(t, c, "a")
		l.finish(nil, errors.New("load failed"))
		want(false, "after a failed load")
	})
}

// With concurrent edits, reads and Forget, an index always has all groups that were
// committed. Run it with the race detector.
func TestConcurrentUse(t *testing.T) {
	const stores, groups = 4, 300
	var mu sync.Mutex
	there := map[string][]Entry{}
	c := NewCache(func(store string, limit int) ([]Entry, error) {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(there[store]), nil
	})
	var wg sync.WaitGroup
	for i := range stores {
		store := fmt.Sprint(i)
		wg.Go(func() {
			for id := int64(1); id <= groups; id++ {
				mu.Lock() // the commit
				there[store] = append(there[store], entry(id))
				mu.Unlock()
				c.put(store, entry(id))
				if r := c.Get(store); r != nil && r.Size() != int(id) {
					t.Errorf("after %d groups the index has %d entries", id, r.Size())
				}
				if id%50 == 0 && store == "0" {
					c.Forget()
				}
			}
		})
		wg.Go(func() {
			for range groups {
				if r := c.Get(store); r != nil {
					r.Count(all)
				}
			}
		})
	}
	wg.Wait()
}
