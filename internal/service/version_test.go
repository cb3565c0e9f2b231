package service_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// versioned is what TestStamps looks at: groups of two stores, 0 for all of them.
var versioned = []struct {
	store string
	group int64
}{{"a", 0}, {"a", 1}, {"a", 2}, {"a", 3}, {"b", 0}, {"b", 1}}

// newVersioned returns a service in which each of them has a counter of its own,
// which is so nearly always.
func newVersioned(t *testing.T, d *db.DB) *service.Service {
	for range 100 {
		svc := newService(t, d, nil)
		shared := false
		for i, one := range versioned {
			for _, other := range versioned[:i] {
				shared = shared || svc.SharesSlot(one.store, one.group, other.store, other.group)
			}
		}
		if !shared {
			return svc
		}
	}
	t.Fatal("there are always some that share a counter")
	return nil
}

// versions returns the version of each.
func versions(t *testing.T, svc *service.Service) map[string]service.Version {
	t.Helper()
	all := map[string]service.Version{}
	for _, s := range versioned {
		version, ok := svc.GroupVersion(s.store, s.group)
		if whole, wholeOK := svc.GroupsVersion(s.store); s.group == 0 && (whole != version || wholeOK != ok) {
			t.Error("the version of all groups is not that of group 0")
		}
		if !ok {
			t.Error("answers must not be kept")
		}
		all[fmt.Sprint(s.store, s.group)] = version
	}
	return all
}

// Where others write and nobody hears of it, no answer may be kept.
func TestNothingIsKeptWhereOthersWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		_, group := svc.GroupVersion("a", 1)
		_, all := svc.GroupsVersion("a")
		if group != d.SeesAllWrites() || all != group {
			t.Errorf("may be kept: a group %v, a list %v; all writes are seen: %v", group, all, d.SeesAllWrites())
		}
	})
}

// A write changes the versions of what it changes, by the time it is done. It
// leaves the others, or nothing could be kept for long. It is on SQLite that
// versions count; see TestNothingIsKeptWhereOthersWrite.
func TestStamps(t *testing.T) {
	const everything = "a0 a1 a2 a3 b0 b1"
	plain := cohort.Group{Name: "x"}
	both := cohort.Group{Name: "x", IsDefault: true, IsGroupForGuests: true}
	tests := []struct {
		name string
		do   func(t *testing.T, svc *service.Service) error
		want string // the versions that change
	}{
		{"create", func(t *testing.T, svc *service.Service) error {
			_, err := svc.CreateGroup(t.Context(), "a", plain)
			return err
		}, "a0 a3"},
		{"create with both flags", func(t *testing.T, svc *service.Service) error {
			_, err := svc.CreateGroup(t.Context(), "a", both)
			return err
		}, "a0 a1 a2 a3"},
		{"create in the other store", func(t *testing.T, svc *service.Service) error {
			_, err := svc.CreateGroup(t.Context(), "b", plain)
			return err
		}, "b0"},
		{"update", change(2, cohort.GroupUpdate{Name: new("y")}), "a0 a2"},
		{"update that takes a flag away", change(2, cohort.GroupUpdate{IsDefault: new(true)}), "a0 a1 a2"},
		{"update that drops a flag", change(1, cohort.GroupUpdate{IsDefault: new(false)}), "a0 a1"},
		{"update of the holder", change(1, cohort.GroupUpdate{IsDefault: new(true)}), "a0 a1"},
		{"delete", func(t *testing.T, svc *service.Service) error { return svc.DeleteGroup(t.Context(), "a", 2) }, "a0 a2"},
		{"delete the store", func(t *testing.T, svc *service.Service) error { return svc.DeleteStore(t.Context(), "a") }, everything},

		{"create that is invalid", func(t *testing.T, svc *service.Service) error {
			return wantErr(svc.CreateGroup(t.Context(), "a", cohort.Group{}))
		}, ""},
		{"update of nothing", change(2, cohort.GroupUpdate{}), ""},
		{"update that is invalid", func(t *testing.T, svc *service.Service) error {
			return wantErr(svc.UpdateGroup(t.Context(), "a", 1, cohort.GroupUpdate{Name: new("")}))
		}, ""},
		{"update of what is not there", func(t *testing.T, svc *service.Service) error {
			return wantErr(svc.UpdateGroup(t.Context(), "a", 9, cohort.GroupUpdate{Name: new("y")}))
		}, ""},
		{"delete what is not there", func(t *testing.T, svc *service.Service) error {
			return wantErr(0, svc.DeleteGroup(t.Context(), "a", 9))
		}, ""},
		{"read", func(t *testing.T, svc *service.Service) error { _, err := svc.Group(t.Context(), "a", 1); return err }, ""},
		{"settings of a store", func(t *testing.T, svc *service.Service) error {
			_, err := svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Concurrency: new(7)})
			return err
		}, ""},
		{"another store", func(t *testing.T, svc *service.Service) error {
			_, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "c"})
			return err
		}, ""},
		{"a customer", func(t *testing.T, svc *service.Service) error {
			_, err := svc.CreateCustomer(t.Context(), "a", ada("ada@example.com"))
			return err
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			svc := newVersioned(t, dbtest.SQLite(t))
			for _, store := range []string{"a", "b"} {
				if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: store}); err != nil {
					t.Fatal(err)
				}
				mustCreate(t, svc, store, cohort.Group{Name: "default", IsDefault: true})
			}
			mustCreate(t, svc, "a", cohort.Group{Name: "guests", IsGroupForGuests: true})
			before := versions(t, svc)
			if err := tt.do(t, svc); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, changed(before, versions(t, svc))); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
		})
	}
}

func change(id int64, u cohort.GroupUpdate) func(t *testing.T, svc *service.Service) error {
	return func(t *testing.T, svc *service.Service) error {
		_, err := svc.UpdateGroup(t.Context(), "a", id, u)
		return err
	}
}

// wantErr turns an error into none, and none into one.
func wantErr(_ any, err error) error {
	if err == nil {
		return errors.New("it succeeded")
	}
	return nil
}

// changed returns which versions are others.
func changed(before, after map[string]service.Version) (names string) {
	for _, s := range versioned {
		if name := fmt.Sprint(s.store, s.group); before[name] != after[name] {
			if names != "" {
				names += " "
			}
			names += name
		}
	}
	return names
}

// What another process has written may be anything.
func TestStampsAfterAForeignWrite(t *testing.T) {
	bubbles(t, func(t *testing.T, url string) {
		svc := newVersioned(t, dbtest.Open(t, url))
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
			t.Fatal(err)
		}
		elsewhere := newService(t, dbtest.Open(t, url), nil)
		before := versions(t, svc)
		mustCreate(t, elsewhere, "a", cohort.Group{Name: "x"})
		time.Sleep(time.Second) // of the bubble's time
		after := versions(t, svc)
		if got := changed(before, after); got != "a0 a1 a2 a3 b0 b1" {
			t.Errorf("changed are %s", got)
		}
		time.Sleep(time.Minute)
		if got := changed(after, versions(t, svc)); got != "" {
			t.Errorf("without a write changed are %s", got)
		}
	})
}

// keeper keeps what it has read for as long as the version is the same.
type keeper struct {
	svc  *service.Service
	hits atomic.Int64

	mu    sync.Mutex
	kept  map[int64]keptGroup
	lists keptList
}

type keptGroup struct {
	version service.Version
	group   cohort.Group
}

type keptList struct {
	version service.Version
	names   map[int64]string
}

func (k *keeper) group(t *testing.T, id int64) cohort.Group {
	version, _ := k.svc.GroupVersion("a", id)
	k.mu.Lock()
	kept, ok := k.kept[id]
	k.mu.Unlock()
	if ok && kept.version == version {
		k.hits.Add(1)
		return kept.group
	}
	g, err := k.svc.Group(t.Context(), "a", id)
	if err != nil {
		t.Error(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[id] = keptGroup{version, g}
	return g
}

func (k *keeper) names(t *testing.T) map[int64]string {
	version, _ := k.svc.GroupsVersion("a")
	k.mu.Lock()
	kept := k.lists
	k.mu.Unlock()
	if kept.names != nil && kept.version == version {
		k.hits.Add(1)
		return kept.names
	}
	groups, err := k.svc.ListGroups(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 100})
	if err != nil {
		t.Error(err)
	}
	names := map[int64]string{}
	for _, g := range groups {
		names[g.ID] = g.Name
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lists = keptList{version, names}
	return names
}

// Answers that are kept under versions, by many at once, are never older than
// what was acknowledged before somebody asked.
func TestWhatIsKeptUnderAStampIsTrue(t *testing.T) {
	const groups, changes, readers = 4, 60, 2
	t.Parallel()
	svc := newService(t, dbtest.SQLite(t), []string{"a"})
	k := &keeper{svc: svc, kept: map[int64]keptGroup{}}
	for range groups {
		mustCreate(t, svc, "a", cohort.Group{Name: "new"})
	}
	var done atomic.Bool
	var writing, reading sync.WaitGroup
	for id := int64(1); id <= groups; id++ {
		writing.Go(func() {
			for n := range changes {
				name := fmt.Sprint("version ", n)
				if _, err := svc.UpdateGroup(t.Context(), "a", id, cohort.GroupUpdate{Name: &name}); err != nil {
					t.Error(err)
				}
				// Nobody else renames it, so it is this or there is something wrong.
				if g, listed := k.group(t, id).Name, k.names(t)[id]; g != name || listed != name {
					t.Errorf("group %d is %q, and %q in a list, after %q was acknowledged", id, g, listed, name)
				}
			}
		})
	}
	for range readers {
		reading.Go(func() {
			for !done.Load() {
				for id := int64(1); id <= groups; id++ {
					k.group(t, id)
				}
				k.names(t)
			}
		})
	}
	writing.Wait()
	done.Store(true)
	reading.Wait()
	k.names(t)
	k.names(t)
	if k.hits.Load() == 0 {
		t.Error("nothing was ever kept")
	}
}
