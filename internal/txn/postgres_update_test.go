package txn_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// with adds parameters such as "name=value" to a URL.
func with(t *testing.T, server string, parameters ...string) string {
	t.Helper()
	return changedURL(t, server, func(u *url.URL) {
		q := u.Query()
		for _, p := range parameters {
			name, value, _ := strings.Cut(p, "=")
			q.Set(name, value)
		}
		u.RawQuery = q.Encode()
	})
}

// attemptsOf returns the number of attempts that the database span below one with a name has;
// 0: it has none.
func attemptsOf(spans []sdktrace.ReadOnlySpan, name string) (n int) {
	for _, parent := range spans {
		for _, s := range spans {
			if parent.Name() != name || s.Parent().SpanID() != parent.SpanContext().SpanID() {
				continue
			}
			for _, a := range s.Attributes() {
				if a.Key == "cohort.attempts" {
					n = int(a.Value.AsInt64())
				}
			}
		}
	}
	return n
}

// Two transactions wait for each other's lock. The server rolls one of them back,
// and Update retries it. Its span has the number of attempts.
func TestDeadlockIsResolved(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, with(t, dbtest.MigratedPostgresURL(t), "deadlock_timeout=50ms"))
	addStores(t, d, "a")
	addGroups(t, d, "a", newGroup(1, "one"), newGroup(2, "two"))
	var locked sync.WaitGroup // the first attempts, which have a lock each
	locked.Add(2)
	attempts := make([]int, 2)
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("")
	var both sync.WaitGroup
	for i, ids := range [][2]int64{{1, 2}, {2, 1}} {
		both.Go(func() {
			ctx, span := tracer.Start(t.Context(), fmt.Sprint(i))
			defer span.End()
			err := d.Update(ctx, func(tx *db.Tx) error {
				attempts[i]++
				for n, id := range ids {
					g, err := tx.GroupForUpdate("a", id)
					if err != nil {
						return err
					}
					before := g
					g.Name += "+"
					if err := tx.UpdateGroup("a", before, g); err != nil {
						return err
					}
					if n == 0 && attempts[i] == 1 {
						locked.Done()
						locked.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	for i, n := range attempts {
		if got := attemptsOf(spans.Ended(), fmt.Sprint(i)); n > 1 && got != n || n == 1 && got != 0 {
			t.Errorf("after %d attempts, the span has %d", n, got)
		}
	}
	// A retry may cause another deadlock.
	if n := attempts[0] + attempts[1]; n < 3 {
		t.Errorf("%d attempts, want at least 3", n)
	}
	wantGroups(t, d, "a", newGroup(1, "one++"), newGroup(2, "two++"))
}

// lockGroup locks a group in a transaction that ends when release is called.
func lockGroup(t *testing.T, d *db.DB, store string, id int64) (release func()) {
	t.Helper()
	locked, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.GroupForUpdate(store, id)
			close(locked)
			<-end
			return errors.Join(err, errTest) // rolls back
		})
	}()
	<-locked
	return sync.OnceFunc(func() {
		close(end)
		if err := <-ended; !errors.Is(err, errTest) {
			t.Error(err)
		}
	})
}

func TestRowIsLockedForLong(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	other := dbtest.Open(t, url)
	prepareStore(t, other, "a")
	for limit, why := range map[string]string{
		"lock_timeout=100ms":      "lock timeout",
		"statement_timeout=100ms": "statement timeout",
	} {
		d := dbtest.Open(t, with(t, url, limit))
		release := lockGroup(t, other, "a", 1)
		attempts := 0
		begun := time.Now()
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			attempts++
			if err := addNext(tx, "a", "never"); err != nil {
				return err
			}
			return changeGroup.run(tx, "a")
		})
		wantUnavailable(t, err, why)
		wantEqual(t, limit+", attempts", 1, attempts)
		if took := time.Since(begun); took > 4*time.Second { // the default lock timeout is longer
			t.Errorf("%s: it took %s", limit, took)
		}
		release()
		wantEqual(t, limit, changeGroup.after(0), contents(t, d, "a"))
	}
	update(t, other, func(tx *db.Tx) error { return changeGroup.run(tx, "a") })
	wantEqual(t, "after the release", changeGroup.after(1), contents(t, other, "a"))
}

// A transaction that gets no connection in time fails and leaves nothing behind.
func TestAllConnectionsAreInUse(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, with(t, dbtest.MigratedPostgresURL(t), "pool_max_conns=2"))
	d.SetTimeouts(txn.Timeouts{Acquire: 300 * time.Millisecond})
	prepareStore(t, d, "a")
	prepareStore(t, d, "b")
	releases := []func(){lockGroup(t, d, "a", 1), lockGroup(t, d, "b", 1)}
	var waiting sync.WaitGroup
	for _, run := range txFuncs(d) {
		waiting.Go(func() {
			err := run(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Group("a", 1)
				return err
			})
			wantUnavailable(t, err, "all connections to it are in use")
		})
	}
	waiting.Go(func() {
		wantUnavailable(t, d.Update(t.Context(), func(tx *db.Tx) error { return addNext(tx, "a", "never") }), "in use")
	})
	waiting.Wait()
	for _, release := range releases {
		release()
	}
	wantEqual(t, "the store", createGroup.after(0), contents(t, d, "a"))
	update(t, d, func(tx *db.Tx) error { return createGroup.run(tx, "a") })
	wantEqual(t, "the store", createGroup.after(1), contents(t, d, "a"))
}
