package service_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// versioned lists the versions that the tests compare: of groups of two stores, with 0
// for all groups of a store.
var versioned = []struct {
	store string
	group int64
}{{"a", 0}, {"a", 1}, {"a", 2}, {"a", 3}, {"b", 0}, {"b", 1}}

// newVersioned returns a service in which each of the versions has a counter of its own.
// A random hash assigns the counters, and collisions are rare.
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
	t.Fatal("some versions always share a counter")
	return nil
}

// versions returns all versions.
func versions(t *testing.T, svc *service.Service) map[string]service.Version {
	t.Helper()
	all := map[string]service.Version{}
	for _, s := range versioned {
		version := svc.GroupVersion(s.store, s.group)
		if s.group == 0 && svc.GroupsVersion(s.store) != version {
			t.Error("GroupsVersion differs from the version of group 0")
		}
		all[fmt.Sprint(s.store, s.group)] = version
	}
	return all
}

// On PostgreSQL the writes of another node change the versions of what they change, before
// CatchUp returns.
func TestVersionsAfterAWriteOfAnotherNode(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	svc, other := newVersioned(t, dbtest.Open(t, url)), newService(t, dbtest.Open(t, url), []string{"a", "b"})
	mustCreate(t, other, "a", cohort.Group{Name: "one"})
	mustCreate(t, other, "a", cohort.Group{Name: "two"})
	for _, step := range []struct {
		name string
		do   func() error
		want string
	}{
		{"the first time", func() error { return nil }, "a0 a1 a2 a3 b0 b1"},
		{"nothing", func() error { return nil }, ""},
		{"create", func() error {
			_, err := other.CreateGroup(t.Context(), "a", cohort.Group{Name: "three"})
			return err
		}, "a0 a3"},
		{"update", func() error { return change(2, cohort.GroupUpdate{Name: new("zwei")})(t, other) }, "a0 a2"},
		{"delete", func() error { return other.DeleteGroup(t.Context(), "a", 1) }, "a0 a1"},
		{"reset", func() error { _, err := other.ResetStore(t.Context(), "b", true); return err }, "a0 a1 a2 a3 b0 b1"},
		{"delete the store", func() error { return other.DeleteStore(t.Context(), "a") }, "a0 a1 a2 a3 b0 b1"},
		{"create it again", func() error { _, err := other.CreateStore(t.Context(), cohort.Store{Hash: "a"}); return err }, ""},
		{"create in another store of this hash", func() error {
			_, err := other.CreateGroup(t.Context(), "a~2", cohort.Group{Name: "three"})
			return err
		}, ""},
	} {
		before := versions(t, svc)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if !svc.CatchUp(t.Context()) {
			t.Fatalf("%s: the versions are not usable", step.name)
		}
		if got := changed(before, versions(t, svc)); got != step.want {
			t.Errorf("%s changed the versions %q, want %q", step.name, got, step.want)
		}
	}
}

// A write changes exactly the versions of the groups that it changes, before it is
// acknowledged.
func TestVersions(t *testing.T) {
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
		{"empty update", change(2, cohort.GroupUpdate{}), ""},
		{"update that is invalid", func(t *testing.T, svc *service.Service) error {
			return wantErr(svc.UpdateGroup(t.Context(), "a", 1, cohort.GroupUpdate{Name: new("")}))
		}, ""},
		{"update of an unknown group", func(t *testing.T, svc *service.Service) error {
			return wantErr(svc.UpdateGroup(t.Context(), "a", 9, cohort.GroupUpdate{Name: new("y")}))
		}, ""},
		{"delete of an unknown group", func(t *testing.T, svc *service.Service) error {
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
				t.Errorf("changed versions (-want +got):\n%s", diff)
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

// wantErr returns an error if there is none, and nil otherwise.
func wantErr(_ any, err error) error {
	if err == nil {
		return errors.New("the call succeeded, want an error")
	}
	return nil
}

// changed returns the names of the versions that differ.
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

// A write of another process changes all versions, because its extent is unknown.
func TestVersionsAfterForeignWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, url string) {
		svc := newVersioned(t, dbtest.Open(t, url))
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
			t.Fatal(err)
		}
		other := newService(t, dbtest.Open(t, url), nil)
		before := versions(t, svc)
		mustCreate(t, other, "a", cohort.Group{Name: "x"})
		time.Sleep(time.Second) // synctest time
		after := versions(t, svc)
		if got := changed(before, after); got != "a0 a1 a2 a3 b0 b1" {
			t.Errorf("changed versions: %s, want all", got)
		}
		time.Sleep(time.Minute)
		if got := changed(after, versions(t, svc)); got != "" {
			t.Errorf("changed versions without a write: %s", got)
		}
	})
}

// versionCache caches results while their version stays equal.
type versionCache struct {
	svc  *service.Service
	hits atomic.Int64

	mu     sync.Mutex
	groups map[int64]cachedGroup
	list   cachedList
}

type cachedGroup struct {
	version service.Version
	group   cohort.Group
}

type cachedList struct {
	version service.Version
	names   map[int64]string
}

func (c *versionCache) group(t *testing.T, id int64) cohort.Group {
	if !c.svc.CatchUp(t.Context()) {
		t.Error("versions are not usable")
	}
	version := c.svc.GroupVersion("a", id)
	c.mu.Lock()
	cached, ok := c.groups[id]
	c.mu.Unlock()
	if ok && cached.version == version {
		c.hits.Add(1)
		return cached.group
	}
	g, err := c.svc.Group(t.Context(), "a", id)
	if err != nil {
		t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.groups[id] = cachedGroup{version, g}
	return g
}

func (c *versionCache) names(t *testing.T) map[int64]string {
	if !c.svc.CatchUp(t.Context()) {
		t.Error("versions are not usable")
	}
	version := c.svc.GroupsVersion("a")
	c.mu.Lock()
	cached := c.list
	c.mu.Unlock()
	if cached.names != nil && cached.version == version {
		c.hits.Add(1)
		return cached.names
	}
	groups, err := c.svc.ListGroups(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 100})
	if err != nil {
		t.Error(err)
	}
	names := map[int64]string{}
	for _, g := range groups {
		names[g.ID] = g.Name
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = cachedList{version, names}
	return names
}

// Results that concurrent callers cache by version are never older than the writes that
// were acknowledged before the read. On PostgreSQL another node writes.
func TestCacheByVersionIsNeverStale(t *testing.T) {
	const groups, readers = 4, 2
	changes := testenv.Times(60, 25)
	dbtest.EachURL(t, func(t *testing.T, url string) {
		if strings.HasSuffix(t.Name(), "/citus") {
			t.Skip("nodes on Citus cache nothing by version")
		}
		d := dbtest.Open(t, url)
		svc := newService(t, d, []string{"a"})
		writer := svc
		if !d.SeesAllWrites() {
			writer = newService(t, dbtest.Open(t, url), nil)
		}
		c := &versionCache{svc: svc, groups: map[int64]cachedGroup{}}
		for i := range groups {
			mustCreate(t, svc, "a", cohort.Group{Name: fmt.Sprint("new ", i)})
		}
		var done atomic.Bool
		var writing, reading sync.WaitGroup
		for id := int64(1); id <= groups; id++ {
			writing.Go(func() {
				for n := range changes {
					name := fmt.Sprintf("version %d of %d", n, id)
					if _, err := writer.UpdateGroup(t.Context(), "a", id, cohort.GroupUpdate{Name: &name}); err != nil {
						t.Error(err)
					}
					// No other goroutine renames the group.
					if g, listed := c.group(t, id).Name, c.names(t)[id]; g != name || listed != name {
						t.Errorf("group %d is %q by Group and %q by ListGroups after %q was acknowledged", id, g, listed, name)
					}
				}
			})
		}
		for range readers {
			reading.Go(func() {
				for !done.Load() {
					for id := int64(1); id <= groups; id++ {
						c.group(t, id)
					}
					c.names(t)
				}
			})
		}
		writing.Wait()
		done.Store(true)
		reading.Wait()
		c.names(t)
		c.names(t)
		if c.hits.Load() == 0 {
			t.Error("the cache had no hits")
		}
	})
}
