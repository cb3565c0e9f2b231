package service_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

func (s *fixture) mustSave(t *testing.T, name string) cohort.Snapshot {
	t.Helper()
	snap, _, err := s.SaveSnapshot(t.Context(), "a", name)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func (s *fixture) mustRestore(t *testing.T, name string) {
	t.Helper()
	if _, err := s.RestoreSnapshot(t.Context(), "a", name); err != nil {
		t.Fatal(err)
	}
}

// setName changes the name in the profile of store a.
func (s *fixture) setName(t *testing.T, name string) {
	t.Helper()
	if _, err := s.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Profile: cohort.StoreProfileUpdate{Name: &name}}); err != nil {
		t.Fatal(err)
	}
}

// Names that a snapshot cannot have are refused, and the snapshot of reset has no name that
// a client can use.
func TestSnapshotNames(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		for _, name := range []string{"a", "A.b-c_9", "...", strings.Repeat("x", 64)} {
			if _, added, err := s.SaveSnapshot(t.Context(), "a", name); !added || err != nil {
				t.Errorf("%q: added %v, error %v", name, added, err)
			}
			if _, added, err := s.SaveSnapshot(t.Context(), "a", name); added || err != nil {
				t.Errorf("%q again: added %v, error %v", name, added, err)
			}
		}
		for _, name := range []string{"", ".", "..", "a b", "a/b", "\u00e9", "a\x00", strings.Repeat("x", 65)} {
			_, _, err := s.SaveSnapshot(t.Context(), "a", name)
			wantKind(t, err, cohort.KindInvalid)
			_, err = s.RestoreSnapshot(t.Context(), "a", name)
			wantKind(t, err, cohort.KindNotFound)
			wantKind(t, s.DeleteSnapshot(t.Context(), "a", name), cohort.KindNotFound)
		}
		if list, err := s.Snapshots(t.Context(), "a"); len(list) != 4 || err != nil {
			t.Errorf("the snapshots are %+v, error %v", list, err)
		}
		_, err := s.Snapshots(t.Context(), "nothing")
		wantKind(t, err, cohort.KindNotFound)
	})
}

// A reset restores the state at the creation, or that of the seed. To empty, it restores the
// settings of then.
func TestResetStore(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		reset := func(toEmpty bool, name string, want ...cohort.Group) {
			t.Helper()
			mustCreate(t, s.Service, "a", cohort.Group{Name: "of a test"})
			s.setName(t, "of a test")
			st, err := s.ResetStore(t.Context(), "a", toEmpty)
			if err != nil || st.Profile.Name != name {
				t.Errorf("the name is %q, error %v, want %q", st.Profile.Name, err, name)
			}
			wantGroups(t, s.Service, "a", want...)
		}
		reset(false, "of a test")
		s.setName(t, "seeded")
		seed := mustCreate(t, s.Service, "a", cohort.Group{Name: "seed"})
		if err := s.db.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.SaveSnapshot("a", "", t0); return err }); err != nil {
			t.Fatal(err)
		}
		reset(false, "seeded", seed)
		reset(true, "seeded")
		reset(false, "seeded", seed)
		_, err := s.ResetStore(t.Context(), "nothing", false)
		wantKind(t, err, cohort.KindNotFound)

		created, err := s.CreateStoreWithToken(t.Context(), cohort.Store{Hash: "new", Currency: "EUR"}, cohort.Token{Name: "x", Scopes: cohort.Scopes()}, "new secret")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.UpdateStore(t.Context(), "new", cohort.StoreUpdate{Profile: cohort.StoreProfileUpdate{Name: new("changed")}}); err != nil {
			t.Fatal(err)
		}
		if st, err := s.ResetStore(t.Context(), "new", false); st != created || err != nil {
			t.Errorf("the reset store is %+v, error %v, want %+v", st, err, created)
		}
	})
}

// Two resets at once both succeed, and the store is as after one.
func TestConcurrentResets(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		want := mustCreate(t, s.Service, "a", cohort.Group{Name: "seed"})
		if err := s.db.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.SaveSnapshot("a", "", t0); return err }); err != nil {
			t.Fatal(err)
		}
		mustCreate(t, s.Service, "a", cohort.Group{Name: "later"})
		var resets sync.WaitGroup
		for range 4 {
			resets.Go(func() {
				if _, err := s.ResetStore(t.Context(), "a", false); err != nil {
					t.Error(err)
				}
			})
		}
		resets.Wait()
		wantGroups(t, s.Service, "a", want)
		if next := mustCreate(t, s.Service, "a", cohort.Group{Name: "next"}); next.ID != want.ID+1 {
			t.Errorf("the next group has id %d, want %d", next.ID, want.ID+1)
		}
	})
}

// restoring is a store whose snapshots are restored while requests run. Snapshot A has 10
// groups and the store's name A, snapshot B has 15 and B. Both continue with the same id, so
// that a client which keeps an id over a restore never means a group of a snapshot.
type restoring struct {
	*fixture
	bearer service.Bearer
}

func newRestoring(t *testing.T, s *fixture) restoring {
	t.Helper()
	r := restoring{fixture: s}
	_, secret, err := s.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: cohort.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	if r.bearer, err = s.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomers); err != nil {
		t.Fatal(err)
	}
	for name, groups := range map[string]int{"A": 10, "B": 15} {
		if _, err := s.ResetStore(t.Context(), "a", true); err != nil {
			t.Fatal(err)
		}
		s.setName(t, name)
		for i := range 15 {
			g := mustCreate(t, s.Service, "a", cohort.Group{Name: fmt.Sprint(name, i)})
			if i < groups {
				continue
			}
			if err := s.DeleteGroup(t.Context(), "a", g.ID); err != nil {
				t.Fatal(err)
			}
		}
		s.mustSave(t, name)
	}
	return r
}

// write writes as a client and as the command line. Only the absence of what a restore has
// removed may fail it.
func (r restoring) write(t *testing.T, name string) {
	t.Helper()
	ctx := service.ForBearer(t.Context(), r.bearer)
	g, err := r.CreateGroup(ctx, "a", cohort.Group{Name: name})
	if err != nil {
		t.Errorf("create: %v", err)
	}
	if _, err := r.UpdateGroup(ctx, "a", g.ID, cohort.GroupUpdate{IsDefault: new(true)}); err != nil && cohort.KindOf(err) != cohort.KindNotFound {
		t.Errorf("update: %v", err)
	}
	customer := ada(name + "@example.com")
	customer.GroupID = new(int64(1))
	if _, err := r.CreateCustomer(t.Context(), "a", customer); err != nil {
		t.Errorf("create a customer: %v", err)
	}
	if err := r.DeleteGroup(ctx, "a", g.ID); err != nil && cohort.KindOf(err) != cohort.KindNotFound {
		t.Errorf("delete: %v", err)
	}
}

// read checks that the store is as one of the snapshots, but for what clients have written.
func (r restoring) read(t *testing.T) {
	t.Helper()
	// As requests do: with Citus, the server of the store commits its settings and its groups at once.
	err := r.db.View(db.ForStore(t.Context(), "a"), func(tx *db.Tx) error {
		st, err := tx.Store("a")
		if err != nil {
			return err
		}
		groups, err := tx.ListGroups("a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
		counts := map[string]int{}
		for _, g := range groups {
			counts[g.Name[:1]]++
		}
		delete(counts, "w")
		if want := map[string]int{"A": 10, "B": 15}[st.Profile.Name]; len(counts) != 1 || counts[st.Profile.Name] != want {
			t.Errorf("with the name %q the store has the groups %v", st.Profile.Name, counts)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// While a store is restored, every reader sees a whole state, no writer fails, and nothing
// of before is left.
func TestRequestsDuringRestores(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		r := newRestoring(t, s)
		var restores, others sync.WaitGroup
		done := make(chan struct{})
		for i := range 2 {
			restores.Go(func() {
				for n := range 8 {
					name := string("AB"[(i+n)%2])
					if _, err := s.RestoreSnapshot(t.Context(), "a", name); err != nil {
						t.Errorf("restore: %v", err)
					}
				}
			})
			until := func(fn func(n int)) {
				for n := 0; ; n++ {
					select {
					case <-done:
						return
					default:
						fn(n)
					}
				}
			}
			others.Go(func() { until(func(n int) { r.write(t, fmt.Sprintf("w%d.%d", i, n)) }) })
			others.Go(func() { until(func(int) { r.read(t) }) })
		}
		restores.Wait()
		close(done)
		others.Wait()
		s.mustRestore(t, "A")
		r.read(t)
		rows, err := s.CountStoreRows(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		s.mustRestore(t, "B")
		s.mustRestore(t, "A")
		if again, err := s.CountStoreRows(t.Context(), "a"); again != rows || err != nil {
			t.Errorf("the store has %d rows, and %d after another restore, error %v", rows, again, err)
		}
		if n, err := s.CountCustomers(t.Context(), "a", cohort.CustomerFilter{}); n != 0 || err != nil {
			t.Errorf("%d customers of before are left, error %v", n, err)
		}
	})
}

// After a restore this node has nothing of before in its caches: settings of the store,
// versions of groups, and the group index.
func TestCachesAfterRestore(t *testing.T) {
	inBubble(t, func(t *testing.T, url string) {
		s := newFixture(t, dbtest.Open(t, url))
		_, secret, err := s.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: cohort.Scopes()})
		if err != nil {
			t.Fatal(err)
		}
		s.setName(t, "before")
		addMany(t, s.db, "a", service.MinIndexOffset+10)
		s.mustSave(t, "base")
		page := cohort.Page{Number: service.MinIndexOffset + 1, Size: 1}
		s.setName(t, "after")
		for id := range int64(20) {
			if err := s.DeleteGroup(t.Context(), "a", id+1); err != nil {
				t.Fatal(err)
			}
		}
		loadIndex(t, s.Service)
		wantAsDatabase(t, s.Service, s.db, cohort.GroupFilter{}, page)
		if st, ok := authenticate(t, s.Service, secret); !ok || st.Profile.Name != "after" {
			t.Errorf("the store is %+v", st)
		}
		one, all := s.GroupVersion("a", 1), s.GroupsVersion("a")

		s.mustRestore(t, "base")
		if st, ok := authenticate(t, s.Service, secret); !ok || st.Profile.Name != "before" {
			t.Errorf("the store of the token is %+v", st)
		}
		if s.GroupVersion("a", 1) == one {
			t.Error("a restore has not changed the version of a group")
		}
		if s.GroupsVersion("a") == all {
			t.Error("a restore has not changed the version of the groups")
		}
		wantAsDatabase(t, s.Service, s.db, cohort.GroupFilter{}, page)
		wantAsDatabase(t, s.Service, s.db, someFilter, cohort.Page{Number: 1, Size: 1000})
	})
}

// The rows of a large snapshot are swept after its deletion, and after that of its store.
func TestDeletedSnapshotsAreSwept(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) {
			s := &fixture{db: dbtest.Open(t, url)}
			s.Service = newService(t, s.db, []string{"a"}, service.WithClock(time.Now))
			addMany(t, s.db, "a", largeStoreGroups)
			s.mustSave(t, "gone")
			s.mustSave(t, "stays")
			if err := s.DeleteSnapshot(t.Context(), "a", "gone"); err != nil {
				t.Fatal(err)
			}
			s.sweepAll(t, 1)
			if _, err := s.ResetStore(t.Context(), "a", true); err != nil {
				t.Fatal(err)
			}
			if err := s.DeleteStore(t.Context(), "a"); err != nil { // its own rows are few
				t.Fatal(err)
			}
			s.sweepAll(t, 2)
			var left int
			if err := s.db.View(t.Context(), func(tx *db.Tx) error { return tx.QueryRow("SELECT count(*) FROM customer_groups").Scan(&left) }); left != 0 || err != nil {
				t.Errorf("%d rows are left, error %v", left, err)
			}
		})
	})
}

// sweepAll sweeps the deleted stores and snapshots, of which there are want.
func (s *fixture) sweepAll(t *testing.T, want int) {
	t.Helper()
	deleted, err := s.DeletedStores(t.Context())
	if len(deleted) != want || err != nil {
		t.Errorf("there is %+v to sweep, error %v, want %d", deleted, err, want)
	}
	for _, d := range deleted {
		if err := s.SweepStore(t.Context(), d, func(int64) {}); err != nil {
			t.Error(err)
		}
	}
}
