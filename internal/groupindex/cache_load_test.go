package groupindex

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// What changes while a roster is loaded is in it afterwards, whether or not the
// load has seen it.
func TestChangesDuringLoad(t *testing.T) {
	changes := func(rs *Cache) {
		rs.put("a", entry(4)) // new
		rs.put("a", Entry{ID: 1, Name: "once"})
		rs.put("a", Entry{ID: 1, Name: "twice"})
		rs.put("a", entry(5)) // comes and goes
		rs.delete("a", 5)
		rs.delete("a", 2)
		rs.put("other", entry(1))
	}
	old := entriesOf(3)
	after := []Entry{{ID: 1, Name: "twice"}, entry(3), entry(4)}
	tests := map[string][]Entry{
		"as before": old, "as after": after, "in the middle": {{ID: 1, Name: "once"}, entry(2), entry(3), entry(4)},
	}
	for name, seen := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rs, l := newLoads(100)
				wantNone(t, rs, "a")
				changes(rs) // may be before the load begins, or after
				l.wantLoading(t, "a")
				changes(rs)
				l.finish(seen, nil)
				if got := rs.Get("a").now.Load().all(); !slices.Equal(got, after) {
					t.Errorf("got %+v, want %+v", got, after)
				}
				rs.delete("a", 4)
				wantIDs(t, rs, "a", 1, 3)
			})
		})
	}
}

// What is loaded when all is forgotten may be from before that, and so is not
// kept; what comes then is loaded anew.
func TestForgetDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(100)
		wantNone(t, rs, "a")
		l.wantLoading(t, "a")
		rs.put("a", entry(9))
		rs.Forget()
		wantNone(t, rs, "a")
		l.wantLoading(t) // the second waits for the first
		rs.put("a", entry(5))
		l.finish(entriesOf(1), nil)
		wantNone(t, rs, "a")
		l.wantLoading(t, "a")
		l.finish(entriesOf(2), nil)
		wantIDs(t, rs, "a", 1, 2, 5)
	})
}

// An old load that fails does not take the new one's place away.
func TestForgetDuringLoadThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(100)
		wantNone(t, rs, "a")
		l.wantLoading(t, "a")
		rs.Forget()
		wantNone(t, rs, "a")
		l.finish(nil, errors.New("ours"))
		l.wantLoading(t, "a")
		l.finish(entriesOf(2), nil)
		wantIDs(t, rs, "a", 1, 2)
		l.wantLoading(t)
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(100)
		rs.Forget() // nothing yet
		for _, store := range []string{"a", "b"} {
			wantNone(t, rs, store)
			l.finish(entriesOf(3), nil)
		}
		l.wantLoading(t, "a", "b")
		rs.Forget()
		rs.put("a", entry(4)) // to be seen by the load
		wantNone(t, rs, "a")
		l.wantLoading(t, "a")
		l.finish(entriesOf(4), nil)
		wantIDs(t, rs, "a", 1, 2, 3, 4)
	})
}

func TestLoadThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(100)
		for range 3 {
			wantNone(t, rs, "a")
			l.wantLoading(t, "a")
			rs.put("a", entry(7)) // is in the database by the next time
			l.finish(nil, errors.New("ours"))
		}
		wantNone(t, rs, "a")
		l.wantLoading(t, "a")
		l.finish(entriesOf(2), nil)
		wantIDs(t, rs, "a", 1, 2)
	})
}

// What was just loaded stays, even if all others were used while it was.
func TestWhatIsLoadedStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(10)
		for _, store := range []string{"a", "b"} {
			wantNone(t, rs, store)
			l.finish(entriesOf(5), nil)
		}
		wantNone(t, rs, "c")
		wantIDs(t, rs, "b", 1, 2, 3, 4, 5)
		wantIDs(t, rs, "a", 1, 2, 3, 4, 5)
		l.finish(entriesOf(5), nil)
		wantIDs(t, rs, "c", 1, 2, 3, 4, 5)
		wantIDs(t, rs, "a", 1, 2, 3, 4, 5)
		l.wantLoading(t, "a", "b", "c")
		wantNone(t, rs, "b")
		l.finish(nil, nil)
	})
}

// Loads read a whole store each, so there is one at a time.
func TestOneLoadAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs, l := newLoads(100)
		wantNone(t, rs, "a")
		l.wantLoading(t, "a")
		wantNone(t, rs, "b")
		l.wantLoading(t)
		rs.put("b", entry(8)) // is not lost while b waits
		l.finish(nil, nil)
		l.wantLoading(t, "b")
		l.finish(entriesOf(1), nil)
		wantIDs(t, rs, "b", 1, 8)
	})
}
