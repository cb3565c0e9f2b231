package groupindex

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// An index contains the edits made while it was loaded, whether or not the load has
// read them.
func TestEditsDuringLoad(t *testing.T) {
	changes := func(c *Cache) {
		c.put("a", entry(4)) // new
		c.put("a", Entry{ID: 1, Name: "once"})
		c.put("a", Entry{ID: 1, Name: "twice"})
		c.put("a", entry(5)) // added and deleted
		c.delete("a", 5)
		c.delete("a", 2)
		c.put("other", entry(1))
	}
	old := entriesOf(3)
	after := []Entry{{ID: 1, Name: "twice"}, entry(3), entry(4)}
	tests := map[string][]Entry{
		"before the edits": old, "after the edits": after, "between the edits": {{ID: 1, Name: "once"}, entry(2), entry(3), entry(4)},
	}
	for name, seen := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, l := newLoads(100)
				wantNone(t, c, "a")
				changes(c) // the load may or may not have begun
				l.wantLoading(t, "a")
				changes(c)
				l.finish(seen, nil)
				if got := c.Get("a").now.Load().all(); !slices.Equal(got, after) {
					t.Errorf("got %+v, want %+v", got, after)
				}
				c.delete("a", 4)
				wantIDs(t, c, "a", 1, 3)
			})
		})
	}
}

// A load that was under way at Forget may have read an older state. Its result is
// dropped, and the next Get loads again.
func TestForgetDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(100)
		wantNone(t, c, "a")
		l.wantLoading(t, "a")
		c.put("a", entry(9))
		c.Forget()
		wantNone(t, c, "a")
		l.wantLoading(t) // the second load waits for the first
		c.put("a", entry(5))
		l.finish(entriesOf(1), nil)
		wantNone(t, c, "a")
		l.wantLoading(t, "a")
		l.finish(entriesOf(2), nil)
		wantIDs(t, c, "a", 1, 2, 5)
	})
}

// The failure of a load from before Forget leaves the slot of the new load alone.
func TestForgetDuringFailingLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(100)
		wantNone(t, c, "a")
		l.wantLoading(t, "a")
		c.Forget()
		wantNone(t, c, "a")
		l.finish(nil, errors.New("load failed"))
		l.wantLoading(t, "a")
		l.finish(entriesOf(2), nil)
		wantIDs(t, c, "a", 1, 2)
		l.wantLoading(t)
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(100)
		c.Forget() // the cache is empty
		for _, store := range []string{"a", "b"} {
			wantNone(t, c, store)
			l.finish(entriesOf(3), nil)
		}
		l.wantLoading(t, "a", "b")
		c.Forget()
		c.put("a", entry(4)) // the load reads it
		wantNone(t, c, "a")
		l.wantLoading(t, "a")
		l.finish(entriesOf(4), nil)
		wantIDs(t, c, "a", 1, 2, 3, 4)
	})
}

func TestFailedLoadIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(100)
		for range 3 {
			wantNone(t, c, "a")
			l.wantLoading(t, "a")
			c.put("a", entry(7)) // the next load reads it
			l.finish(nil, errors.New("load failed"))
		}
		wantNone(t, c, "a")
		l.wantLoading(t, "a")
		l.finish(entriesOf(2), nil)
		wantIDs(t, c, "a", 1, 2)
	})
}

// An index that was just loaded is kept, even if all others were used during the
// load.
func TestLoadedIndexIsNotEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(10)
		for _, store := range []string{"a", "b"} {
			wantNone(t, c, store)
			l.finish(entriesOf(5), nil)
		}
		wantNone(t, c, "c")
		wantIDs(t, c, "b", 1, 2, 3, 4, 5)
		wantIDs(t, c, "a", 1, 2, 3, 4, 5)
		l.finish(entriesOf(5), nil)
		wantIDs(t, c, "c", 1, 2, 3, 4, 5)
		wantIDs(t, c, "a", 1, 2, 3, 4, 5)
		l.wantLoading(t, "a", "b", "c")
		wantNone(t, c, "b")
		l.finish(nil, nil)
	})
}

// Each load reads a whole store, so only one runs at a time.
func TestOneLoadAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newLoads(100)
		wantNone(t, c, "a")
		l.wantLoading(t, "a")
		wantNone(t, c, "b")
		l.wantLoading(t)
		c.put("b", entry(8)) // must not be lost while the load of b waits
		l.finish(nil, nil)
		l.wantLoading(t, "b")
		l.finish(entriesOf(1), nil)
		wantIDs(t, c, "b", 1, 8)
	})
}
