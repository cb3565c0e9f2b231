package service_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
)

// spread is a distributed database with stores on both workers.
type spread struct {
	*pgtest.Citus
	*service.Service
	db     *db.DB
	stores [2]string // a store of each worker
}

func newSpread(t *testing.T) *spread {
	t.Helper()
	s := &spread{Citus: pgtest.StartCitus(t)}
	url := s.Coordinator.URL()
	if err := dbtest.Distribute(url); err != nil {
		t.Fatal(err)
	}
	for i := 0; slices.Contains(s.stores[:], ""); i++ {
		store := fmt.Sprint("s", i)
		s.stores[s.WorkerOf(t, "customer_groups", store)] = store
	}
	s.db = dbtest.Open(t, url)
	s.Service = newService(t, s.db, s.stores[:])
	return s
}

func namedGroup(name string) cohort.Group { return cohort.Group{Name: name} }

// While a worker is down, the stores on the other one are served, nodes start, and the
// failure is reported. When it is back, everything works without a restart.
func TestCitusLosesAWorker(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	s := newSpread(t)
	lost, served := s.stores[0], s.stores[1]
	if err := s.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Workers[0].Kill()

	fails := func(svc *service.Service) {
		t.Helper()
		_, err := svc.CreateGroup(t.Context(), lost, namedGroup("new"))
		wantKind(t, err, cohort.KindUnavailable)
		_, err = svc.CreateGroup(t.Context(), served, namedGroup(fmt.Sprint("new ", time.Now().UnixNano())))
		if err != nil {
			t.Errorf("a store on the other worker: %v", err)
		}
	}
	fails(s.Service)
	repeated, _ := s.DatabaseStats()
	fails(s.Service)
	if now, _ := s.DatabaseStats(); now.Repeated != repeated.Repeated {
		t.Errorf("a transaction of a lost worker was tried %d times again", now.Repeated-repeated.Repeated)
	}
	restarted := newService(t, dbtest.Open(t, s.Coordinator.URL()), nil)
	if stores, err := restarted.ListStores(t.Context()); err != nil || len(stores) != 2 {
		t.Errorf("a node that starts now sees %d stores, %v", len(stores), err)
	}
	fails(restarted)
	if err := restarted.Ready(t.Context()); err != nil {
		t.Errorf("the node is not ready: %v", err)
	}
	err := restarted.Complete(t.Context())
	if e, ok := errors.AsType[*service.LostWorkersError](err); !ok || !slices.Equal(e.Workers, []string{s.Proxies[0].Addr()}) {
		t.Errorf("the lost workers: %v", err)
	}

	s.Workers[0].Restart()
	for _, svc := range []*service.Service{s.Service, restarted} {
		for _, store := range s.stores {
			if _, err := svc.CreateGroup(t.Context(), store, namedGroup(fmt.Sprint("after ", time.Now().UnixNano()))); err != nil {
				t.Errorf("after the restart: %v", err)
			}
		}
	}
}

// A connection between the servers is cut at each step of a commit. Afterwards, the changes of
// both workers are there if the update succeeded, and none if it failed.
func TestCitusCommitIsCut(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	s := newSpread(t)
	for i, cut := range []func(*pgtest.Proxy) <-chan struct{}{
		func(p *pgtest.Proxy) <-chan struct{} { return p.CutBefore("PREPARE TRANSACTION") },
		func(p *pgtest.Proxy) <-chan struct{} { return p.LoseResponse("PREPARE TRANSACTION") },
		func(p *pgtest.Proxy) <-chan struct{} { return p.CutBefore("COMMIT PREPARED") },
		func(p *pgtest.Proxy) <-chan struct{} { return p.LoseResponse("COMMIT PREPARED") },
	} {
		done := cut(s.Proxies[0])
		err := s.addGroups(t, int64(1000+i), s.stores[:])
		s.wantCut(t, i, done)
		s.wantGroups(t, int64(1000+i), s.stores[:], err)
	}
	for i, cut := range []func(*pgtest.Proxy) <-chan struct{}{
		func(p *pgtest.Proxy) <-chan struct{} { return p.CutBefore("COMMIT") },
		func(p *pgtest.Proxy) <-chan struct{} { return p.LoseResponse("COMMIT") },
	} {
		done := cut(s.Proxies[0])
		err := s.addGroups(t, int64(2000+i), s.stores[:1])
		s.wantCut(t, i, done)
		s.wantGroups(t, int64(2000+i), s.stores[:1], err)
		if err != nil {
			t.Errorf("the transaction of one store was not tried again: %v", err)
		}
	}
}

func (s *spread) wantCut(t *testing.T, i int, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	default:
		t.Errorf("case %d: nothing was cut", i)
	}
}

// addGroups adds a group to stores in one transaction, which reads and so is not shared.
func (s *spread) addGroups(t *testing.T, id int64, stores []string) error {
	t.Helper()
	return s.db.Update(t.Context(), func(tx *db.Tx) error {
		for _, store := range stores {
			if _, err := tx.Group(store, id); cohort.KindOf(err) != cohort.KindNotFound {
				return err
			}
			if err := tx.InsertGroup(store, dbtest.NewGroup(id, fmt.Sprint("group ", id))); err != nil {
				return err
			}
		}
		return nil
	})
}

// wantGroups checks that the outcome of addGroups is the same for all stores, and the one
// that the caller was told.
func (s *spread) wantGroups(t *testing.T, id int64, stores []string, err error) {
	t.Helper()
	s.Coordinator.Exec(t, "SELECT recover_prepared_transactions()") // the servers do so by themselves, a little later
	for _, store := range stores {
		_, got := s.Group(t.Context(), store, id)
		if there := got == nil; there != (err == nil) {
			t.Errorf("group %d of %s: %v, but the update said %v", id, store, got, err)
		}
	}
}

// No acknowledged change is lost when the coordinator restarts under load.
func TestCitusCoordinatorRestarts(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	s := newSpread(t)
	var acknowledged [2]atomic.Int64
	var enough atomic.Bool
	var writers sync.WaitGroup
	for i, store := range s.stores {
		for w := range 3 {
			writers.Go(func() {
				for n := 0; !enough.Load(); n++ {
					if _, err := s.CreateGroup(t.Context(), store, namedGroup(fmt.Sprint("g ", w, " ", n))); err == nil {
						acknowledged[i].Add(1)
					}
				}
			})
		}
	}
	for range 2 {
		awaitMore(&acknowledged)
		s.Coordinator.Restart()
	}
	awaitMore(&acknowledged)
	enough.Store(true)
	writers.Wait()
	for i, store := range s.stores {
		groups := dbtest.CountGroups(t, s.db, store, dbtest.AllGroups)
		if want := acknowledged[i].Load(); groups < want {
			t.Errorf("store %s has %d groups, %d creates were acknowledged", store, groups, want)
		}
	}
}

// awaitMore waits until each store has ten more acknowledged changes.
func awaitMore(acknowledged *[2]atomic.Int64) {
	for i := range acknowledged {
		deadline := time.Now().Add(time.Minute)
		for until := acknowledged[i].Load() + 10; acknowledged[i].Load() < until && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // poll: the writers do not wait for the test
		}
	}
}
