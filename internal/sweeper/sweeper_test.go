package sweeper_test

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
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/sweeper"
)

// fixture is a service with the store "a", and a sweeper.
type fixture struct {
	db     *db.DB
	svc    *service.Service
	log    entries
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
	left   int           // groups that leave has created
}

// entries is the writer of a log; each write is an entry.
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

// each runs a test in a bubble, where time passes only when nothing else happens, on an
// empty database of each engine.
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

// run starts the sweeper and returns when it waits.
func (f *fixture) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() {
		defer close(f.done)
		sweeper.Run(ctx, f.svc, slog.New(slog.NewTextHandler(&f.log, nil)))
	}()
	t.Cleanup(func() { cancel(); <-f.done })
	synctest.Wait()
}

func (f *fixture) wantNoLog(t *testing.T) {
	t.Helper()
	if lines := f.log.get(); len(lines) != 0 {
		t.Errorf("log %q", lines)
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

// leave creates a group with a number of members and deletes it through a service: the
// fixture's, or that of another node.
func (f *fixture) leave(t *testing.T, svc *service.Service, members int) {
	t.Helper()
	f.left++
	g, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: fmt.Sprint("group ", f.left)})
	if err != nil {
		t.Fatal(err)
	}
	err = f.db.Update(t.Context(), func(tx *db.Tx) error {
		for range members {
			id, err := tx.NextID("a", "customer")
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

// wantSwept checks whether all deleted groups are swept. If not, it sweeps one batch.
func (f *fixture) wantSwept(t *testing.T, want bool) {
	t.Helper()
	synctest.Wait()
	if more, err := f.svc.SweepTombstones(t.Context()); more == want || err != nil {
		t.Errorf("deleted groups are left: %v, error %v, want %v", more, err, !want)
	}
}

// Numbers of members of a group whose deletion leaves rows for one sweep, and for
// several.
const (
	some = 501
	many = 1001
)

func TestRunSweepsWhatItFinds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		another := service.New(f.db) // of a node that has stopped
		f.leave(t, another, many)
		f.leave(t, another, some)
		f.wantSwept(t, false)
		f.run(t)
		f.wantSwept(t, true)
		f.wantNoLog(t)
	})
}

func TestRunSweepsAfterADeletion(t *testing.T) {
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

// Another node may stop before its sweep is done, and does not signal this one.
func TestRunLooksAgain(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		for range 2 {
			f.leave(t, service.New(f.db), many)
			f.wantSwept(t, false)
			time.Sleep(time.Minute)
			f.wantSwept(t, true)
		}
	})
}

func TestRunStops(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		if f.hasStopped() {
			t.Fatal("it stopped before the end of its context")
		}
		f.cancel()
		synctest.Wait()
		if !f.hasStopped() {
			t.Error("it runs after the end of its context")
		}
		f.leave(t, f.svc, some)
		f.wantSwept(t, false)
		f.wantNoLog(t)
	})
}

// The end of the context interrupts a sweep. The rest is left to the next start. The
// test uses SQLite, where a sweep waits for a running write.
func TestRunStopsWithWorkLeft(t *testing.T) {
	t.Parallel()
	inBubble(t, dbtest.SQLiteURL(t), func(t *testing.T, f *fixture) {
		f.leave(t, service.New(f.db), some)
		// A write is running, so the first batch waits.
		err := f.db.Update(t.Context(), func(*db.Tx) error {
			f.run(t)
			f.cancel()
			synctest.Wait()
			if !f.hasStopped() {
				t.Error("it still waits for the database")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		f.wantSwept(t, false)
		f.wantNoLog(t) // an interruption is not an error
	})
}

// After a failure of the database each of the seven tasks waits for a signal or a
// minute, and logs each failure.
func TestRunLogsFailures(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		if err := f.db.Close(); err != nil {
			t.Fatal(err)
		}
		for failures := range 3 {
			lines := f.log.get()
			if len(lines) != 7*failures || f.hasStopped() {
				t.Fatalf("after %d failures it has stopped: %v, log: %q", failures, f.hasStopped(), lines)
			}
			for _, line := range lines {
				if !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "database is closed") {
					t.Errorf("line %s", line)
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
	})
}
