package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/jobs"
	"cohort.example/cohort/internal/service"
)

// fixture is a service with the store "a", and the jobs that run beside it.
type fixture struct {
	db     *db.DB
	svc    *service.Service
	log    entries
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
}

// entries is a log's writer; each write is an entry.
type entries struct {
	mu   sync.Mutex
	list []string
}

func (e *entries) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, string(p))
	return len(p), nil
}

func (e *entries) get() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// each runs a test in a bubble, where time passes only when there is nothing
// else to do, on an empty database of each engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { inBubble(t, url, fn) })
}

func inBubble(t *testing.T, url string, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := dbtest.Open(t, url)
		f := &fixture{db: d, svc: service.New(d), done: make(chan struct{})}
		if _, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "a"}); err != nil {
			t.Fatal(err)
		}
		fn(t, f)
	})
}

// run starts the jobs and returns when they wait for something to do.
func (f *fixture) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() {
		defer close(f.done)
		jobs.Run(ctx, f.svc, slog.New(slog.NewTextHandler(&f.log, nil)))
	}()
	t.Cleanup(func() { cancel(); <-f.done })
	synctest.Wait()
}

func (f *fixture) wantNoLog(t *testing.T) {
	t.Helper()
	if lines := f.log.get(); len(lines) != 0 {
		t.Errorf("it logs %q", lines)
	}
}

func (f *fixture) hasStopped() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// leave makes a group of so many members and has a service delete it: the one
// that the jobs belong to, or another, as on another node.
func (f *fixture) leave(t *testing.T, svc *service.Service, members int) {
	t.Helper()
	g, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	err = f.db.Update(t.Context(), func(tx *db.Tx) error {
		for range members {
			id, err := tx.NextCustomerID("a")
			if err != nil {
				return err
			}
			if err := tx.InsertCustomer("a", cohort.Customer{ID: id, Email: fmt.Sprint(id), GroupID: g.ID}, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := svc.DeleteGroup(t.Context(), "a", g.ID); err != nil {
		t.Fatal(err)
	}
}

// wantSwept fails unless there is nothing left to sweep, or unless there is. In
// the latter case it sweeps a little.
func (f *fixture) wantSwept(t *testing.T, want bool) {
	t.Helper()
	synctest.Wait()
	if more, err := f.svc.SweepTombstones(t.Context()); more == want || err != nil {
		t.Errorf("there is something to sweep: %v, error %v, want %v", more, err, !want)
	}
}

// How many members leave rows behind when their group is deleted, and how many
// leave so many that one sweep is not enough.
const (
	some = 501
	many = 1001
)

func TestRunSweepsWhatItFinds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		another := service.New(f.db) // which has ended, and its signals with it
		f.leave(t, another, many)
		f.leave(t, another, some)
		f.wantSwept(t, false)
		f.run(t)
		f.wantSwept(t, true)
		f.wantNoLog(t)
	})
}

func TestRunSweepsAfterADeparture(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		start := time.Now()
		for _, members := range []int{many, some} {
			f.leave(t, f.svc, members)
			f.wantSwept(t, true)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("it waited for %v", waited)
		}
	})
}

// Another node may end before it has swept up, and does not signal to this one.
func TestRunLooksAgain(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		for range 2 {
			f.leave(t, service.New(f.db), many)
			f.wantSwept(t, false)
			time.Sleep(time.Minute) // of the bubble, at once
			f.wantSwept(t, true)
		}
	})
}

func TestRunStops(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		if f.hasStopped() {
			t.Fatal("it stopped by itself")
		}
		f.cancel()
		synctest.Wait()
		if !f.hasStopped() {
			t.Error("it goes on after the end of its context")
		}
		f.leave(t, f.svc, some)
		f.wantSwept(t, false)
		f.wantNoLog(t)
	})
}

// A context that ends in the middle of the work ends the work: what is left is
// for the next start. It can be stopped there on SQLite, where who writes waits
// for the one before.
func TestRunStopsWithWorkLeft(t *testing.T) {
	t.Parallel()
	inBubble(t, dbtest.SQLiteURL(t), func(t *testing.T, f *fixture) {
		f.leave(t, service.New(f.db), some)
		// The writer is taken, so the first slice waits for it.
		err := f.db.Update(t.Context(), func(*db.Tx) error {
			f.run(t)
			f.cancel()
			synctest.Wait()
			if !f.hasStopped() {
				t.Error("it goes on waiting for the database")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		f.wantSwept(t, false)
		f.wantNoLog(t) // to be stopped is no error
	})
}

// A database that fails is tried again when there is reason to, or every
// minute, and not in between, by each of the three that run here.
func TestRunLogsFailures(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		if err := f.db.Close(); err != nil {
			t.Fatal(err)
		}
		for failures := range 3 {
			lines := f.log.get()
			if len(lines) != 3*failures || f.hasStopped() {
				t.Fatalf("after %d failures it has stopped: %v, log: %q", failures, f.hasStopped(), lines)
			}
			for _, line := range lines {
				if !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "database is closed") {
					t.Errorf("line %s", line)
				}
			}
			time.Sleep(time.Minute) // of the bubble, at once
			synctest.Wait()
		}
	})
}
