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

// counter names the ids of a kind in a store.
type counter struct{ store, kind string }

// idModel is what the counters of a database have to be. Its exported methods
// are what rapid chooses from.
type idModel struct {
	t       *testing.T
	url     string
	db      *db.DB
	other   *db.DB // another process
	commits int    // how many more may succeed; -1: all
	last    map[counter]int64
	stores  map[string]bool
}

// noDeadline hides a method that rapid would call, and must not in a bubble.
type noDeadline struct{ *testing.T }

// On SQLite ids go up by one, whatever else happens: turns that fail, batches
// that are lost, stores that go and come back, another process, a new start.
// What holds on every engine is in TestIDsNeverComeTwice.
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

// begin makes the stores anew.
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

// requestOf is what one update does.
type requestOf struct {
	store  string
	deeds  []string // kinds of ids to take, or "raise", a kind and up to where; or one of make and delete, for the store
	fails  bool
	got    []int64
	want   []int64
	wantOK bool
}

func drawRequest(t *rapid.T) *requestOf {
	raise := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprint("raise ", rapid.SampledFrom([]string{"one", "two"}).Draw(t, "kind"), " ", rapid.IntRange(-1, 20).Draw(t, "to"))
	})
	ids := rapid.OneOf(rapid.SampledFrom([]string{"one", "one", "two"}), raise)
	deeds := rapid.OneOf(
		rapid.SliceOfN(ids, 1, 4),
		rapid.SliceOfN(ids, 1, 4),
		rapid.SliceOfN(rapid.SampledFrom([]string{"make", "delete"}), 1, 1),
	)
	return &requestOf{
		store: rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "store"), deeds: deeds.Draw(t, "deeds"),
		fails: rapid.SampledFrom([]bool{false, false, true}).Draw(t, "fails"),
	}
}

// run is the function of the update.
func (u *requestOf) run(tx *db.Tx) error {
	for _, deed := range u.deeds {
		if err := u.do(tx, deed); err != nil {
			return err
		}
	}
	if u.fails {
		return errOurs
	}
	return nil
}

func (u *requestOf) do(tx *db.Tx, deed string) error {
	switch deed {
	case "make":
		return tx.InsertStore(cohort.Store{Hash: u.store})
	case "delete":
		return tx.DeleteStore(u.store)
	}
	if kind, to, ok := raises(deed); ok {
		if _, err := tx.ReserveIDs(u.store, kind, to, 0); err != nil {
			return err
		}
	} else {
		id, err := tx.NextID(u.store, deed)
		if err != nil {
			return err
		}
		u.got = append(u.got, id)
	}
	_, err := tx.Store(u.store) // in place of what would have the id
	return err
}

// raises reads a deed that raises a counter.
func raises(deed string) (kind string, to int64, ok bool) {
	_, err := fmt.Sscanf(deed, "raise %s %d", &kind, &to)
	return kind, to, err == nil
}

// expect does to the model what run does to the database.
func (m *idModel) expect(u *requestOf) {
	last, stores := maps.Clone(m.last), maps.Clone(m.stores)
	u.wantOK = !u.fails
	for _, deed := range u.deeds {
		switch there := m.stores[u.store]; {
		case deed == "make" && !there:
			m.stores[u.store] = true
		case deed == "delete" && there:
			delete(m.stores, u.store)
			maps.DeleteFunc(m.last, func(c counter, _ int64) bool { return c.store == u.store })
		case deed == "make" || deed == "delete" || !there:
			u.wantOK = false
		case strings.HasPrefix(deed, "raise "):
			kind, to, _ := raises(deed)
			c := counter{u.store, kind}
			if to > m.last[c] {
				m.last[c] = to
			}
		default:
			c := counter{u.store, deed}
			m.last[c]++
			u.want = append(u.want, m.last[c])
		}
	}
	if !u.wantOK {
		m.last, m.stores = last, stores
	}
}

// Batch runs updates that share a transaction, which may be lost at its end.
func (m *idModel) Batch(t *rapid.T) {
	turns := rapid.SliceOfN(rapid.Custom(drawRequest), 1, 5).Draw(t, "turns")
	lost := rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "lost")
	last, stores := m.last, m.stores
	m.last, m.stores = maps.Clone(last), maps.Clone(stores)
	release := hold(m.t, m.db)
	var queued []<-chan error
	for _, u := range turns {
		m.expect(u)
		queued = append(queued, queue(m.t, m.db, u.run))
	}
	if lost {
		m.commits = 1 // of the update that holds the writer
		m.last, m.stores = last, stores
	}
	release()
	for i, u := range turns {
		err := <-queued[i]
		if (err == nil) != (u.wantOK && !lost) {
			t.Fatalf("update %d %+v: error %v", i, u, err)
		}
		if u.wantOK && fmt.Sprint(u.got) != fmt.Sprint(u.want) {
			t.Fatalf("update %d %+v: got the ids %d, want %d", i, u, u.got, u.want)
		}
	}
	m.commits = -1
}

// Elsewhere runs an update of another process.
func (m *idModel) Elsewhere(t *rapid.T) {
	u := drawRequest(t)
	m.expect(u)
	err := m.other.Update(context.Background(), u.run)
	if (err == nil) != u.wantOK || u.wantOK && fmt.Sprint(u.got) != fmt.Sprint(u.want) {
		t.Fatalf("update %+v: got the ids %d, want %d, error %v", u, u.got, u.want, err)
	}
}

// Restart closes the database and opens it again.
func (m *idModel) Restart(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") > 0 { // it takes long
		return
	}
	if err := m.db.Close(); err != nil {
		t.Fatal(err)
	}
	m.open()
}

// Check compares what is kept, as another process sees it.
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
