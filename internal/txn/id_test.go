package txn_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"

	"pgregory.net/rapid"
)

// counter identifies the ids of a kind in a store.
type counter struct{ store, kind string }

// idModel is a model of the counters of a database. rapid calls its exported methods in
// random order.
type idModel struct {
	t       *testing.T
	url     string
	db      *db.DB
	other   *db.DB // another process
	commits int    // how many more commits succeed; -1: all
	last    map[counter]int64
	stores  map[string]bool
}

// noDeadline hides the method Deadline: rapid must not compare it with the fake clock.
type noDeadline struct{ *testing.T }

// On SQLite ids increase by one, across failed requests, lost batches, stores that are
// deleted and recreated, writes of another process, and restarts. TestIDsAreUnique has
// what also holds on PostgreSQL.
func TestIDsAgainstModel(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		m := &idModel{t: t, url: url, commits: -1}
		m.open()
		m.other = dbtest.Open(t, url)
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			m.begin(t)
			t.Repeat(rapid.StateMachineActions(m))
		})
	})
}

func (m *idModel) open() {
	m.db = openWith(m.t, m.url, func(s txn.Statement) error {
		if s.Query == "COMMIT" && m.commits >= 0 {
			if m.commits--; m.commits < 0 {
				return txn.ErrTrouble
			}
		}
		return s.Run()
	})
}

// begin recreates the stores.
func (m *idModel) begin(t *rapid.T) {
	m.last, m.stores = map[counter]int64{}, map[string]bool{"a": true, "b": true}
	for _, store := range []string{"a", "b"} {
		err := m.other.Update(context.Background(), func(tx *db.Tx) error {
			if err := tx.DeleteStore(store); err != nil && cohort.KindOf(err) != cohort.KindNotFound {
				return err
			}
			return tx.InsertStore(cohort.Store{Hash: store})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// idRequest is an update request and its expected result.
type idRequest struct {
	store string
	// actions are kinds of ids to allocate, or "raise", a kind and the id to raise its
	// counter to, or "replace", "all" counters or only "one", and the last id of one. Or the single action is "make" or "delete", for the store.
	actions []string
	fails   bool
	got     []int64
	want    []int64
	wantOK  bool
}

func drawRequest(t *rapid.T) *idRequest {
	raise := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprint("raise ", rapid.SampledFrom([]string{"one", "two"}).Draw(t, "kind"), " ", rapid.IntRange(-1, 20).Draw(t, "to"))
	})
	replace := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprint("replace ", rapid.SampledFrom([]string{"all", "one"}).Draw(t, "which"), " ", rapid.IntRange(0, 20).Draw(t, "by"))
	})
	next := rapid.SampledFrom([]string{"one", "one", "two"})
	ids := rapid.OneOf(next, next, raise, replace)
	actions := rapid.OneOf(
		rapid.SliceOfN(ids, 1, 4),
		rapid.SliceOfN(ids, 1, 4),
		rapid.SliceOfN(rapid.SampledFrom([]string{"make", "delete"}), 1, 1),
	)
	return &idRequest{
		store: rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "store"), actions: actions.Draw(t, "actions"),
		fails: rapid.SampledFrom([]bool{false, false, true}).Draw(t, "fails"),
	}
}

// run is the function of the update.
func (u *idRequest) run(tx *db.Tx) error {
	for _, action := range u.actions {
		if err := u.do(tx, action); err != nil {
			return err
		}
	}
	if u.fails {
		return errTest
	}
	return nil
}

func (u *idRequest) do(tx *db.Tx, action string) error {
	switch action {
	case "make":
		return tx.InsertStore(cohort.Store{Hash: u.store})
	case "delete":
		return tx.DeleteStore(u.store)
	}
	if kind, to, ok := raises(action); ok {
		if _, err := tx.ReserveIDs(u.store, kind, to, 0); err != nil {
			return err
		}
	} else if last, keep, ok := replaces(action); ok {
		if err := tx.ReplaceIDs(u.store, map[string]int64{"one": last}, keep...); err != nil {
			return err
		}
	} else {
		id, err := tx.NextID(u.store, action)
		if err != nil {
			return err
		}
		u.got = append(u.got, id)
	}
	_, err := tx.Store(u.store) // instead of inserting a row with the id
	return err
}

// raises parses an action that raises a counter.
func raises(action string) (kind string, to int64, ok bool) {
	_, err := fmt.Sscanf(action, "raise %s %d", &kind, &to)
	return kind, to, err == nil
}

// replaces parses an action that replaces counters.
func replaces(action string) (last int64, keep []string, ok bool) {
	var which string
	_, err := fmt.Sscanf(action, "replace %s %d", &which, &last)
	if which == "one" {
		keep = []string{"two"}
	}
	return last, keep, err == nil
}

// expect applies the request to the model, and sets what it should return.
func (m *idModel) expect(u *idRequest) {
	last, stores := maps.Clone(m.last), maps.Clone(m.stores)
	u.wantOK = !u.fails
	for _, action := range u.actions {
		switch there := m.stores[u.store]; {
		case action == "make" && !there:
			m.stores[u.store] = true
		case action == "delete" && there:
			delete(m.stores, u.store)
			maps.DeleteFunc(m.last, func(c counter, _ int64) bool { return c.store == u.store })
		case action == "make" || action == "delete" || !there:
			u.wantOK = false
		case strings.HasPrefix(action, "raise "):
			kind, to, _ := raises(action)
			c := counter{u.store, kind}
			if to > m.last[c] {
				m.last[c] = to
			}
		case strings.HasPrefix(action, "replace "):
			last, keep, _ := replaces(action)
			m.last[counter{u.store, "one"}] = last
			if keep == nil {
				delete(m.last, counter{u.store, "two"})
			}
		default:
			c := counter{u.store, action}
			m.last[c]++
			u.want = append(u.want, m.last[c])
		}
	}
	if !u.wantOK {
		m.last, m.stores = last, stores
	}
}

// Batch runs requests that share a transaction. Its commit may fail.
func (m *idModel) Batch(t *rapid.T) {
	requests := rapid.SliceOfN(rapid.Custom(drawRequest), 1, 5).Draw(t, "requests")
	lost := rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "lost")
	last, stores := m.last, m.stores
	m.last, m.stores = maps.Clone(last), maps.Clone(stores)
	release := hold(m.t, m.db)
	var queued []<-chan error
	for _, u := range requests {
		m.expect(u)
		queued = append(queued, queue(m.t, m.db, u.run))
	}
	if lost {
		m.commits = 1 // of the request that holds the writer
		m.last, m.stores = last, stores
	}
	release()
	for i, u := range requests {
		err := <-queued[i]
		if (err == nil) != (u.wantOK && !lost) {
			t.Fatalf("request %d %+v: error %v", i, u, err)
		}
		if u.wantOK && fmt.Sprint(u.got) != fmt.Sprint(u.want) {
			t.Fatalf("request %d %+v: got the ids %d, want %d", i, u, u.got, u.want)
		}
	}
	m.commits = -1
}

// Elsewhere runs a request in another process.
func (m *idModel) Elsewhere(t *rapid.T) {
	u := drawRequest(t)
	m.expect(u)
	err := m.other.Update(context.Background(), u.run)
	if (err == nil) != u.wantOK || u.wantOK && fmt.Sprint(u.got) != fmt.Sprint(u.want) {
		t.Fatalf("request %+v: got the ids %d, want %d, error %v", u, u.got, u.want, err)
	}
}

// Restart closes the database and opens it again.
func (m *idModel) Restart(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") > 0 { // a restart is slow
		return
	}
	if err := m.db.Close(); err != nil {
		t.Fatal(err)
	}
	m.open()
}

// Check compares the counters in the database, as another process reads them.
func (m *idModel) Check(t *rapid.T) {
	err := m.other.View(context.Background(), func(tx *db.Tx) (err error) {
		for _, store := range []string{"a", "b"} {
			for _, kind := range []string{"one", "two"} {
				n, lastErr := tx.LastID(store, kind)
				if want := m.last[counter{store, kind}]; n != want {
					t.Fatalf("the last id of %s, %s is %d, want %d", store, kind, n, want)
				}
				err = errors.Join(err, lastErr)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
