package txn_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// with adds parameters to a URL.
func with(t *testing.T, server string, parameters ...string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// wantUnavailable fails unless the error says that it works later, and why not
// now.
func wantUnavailable(t *testing.T, err error, why string) {
	t.Helper()
	if err == nil {
		t.Error("it succeeds")
		return
	}
	wantKind(t, err, cohort.KindUnavailable)
	if !strings.Contains(err.Error(), why) {
		t.Errorf("got error %v, want one with %q", err, why)
	}
}

// If the server is gone for long in the moment of a commit, there is no telling
// how it went, and the caller is told that.
func TestOutcomeStaysUnknown(t *testing.T) {
	t.Parallel()
	l := openLossy(t)
	l.SettleWithin(300 * time.Millisecond)
	for _, deed := range deeds {
		store, other, next := l.store(t), l.store(t), l.store(t)
		update(t, l.DB, func(tx *db.Tx) error { return deed.do(tx, other) }) // has the connections made
		l.proxy.Refuse(true)                                                 // and no others
		lost := l.proxy.LoseAnswer("COMMIT")
		err := l.Update(t.Context(), func(tx *db.Tx) error { return deed.do(tx, store) })
		wantUnavailable(t, err, "unknown")
		<-lost
		wantEqual(t, deed.name, deed.left(1), contents(t, l.direct, store))
		// It goes on as soon as the server is back.
		l.proxy.Refuse(false)
		update(t, l.DB, func(tx *db.Tx) error { return deed.do(tx, next) })
		wantEqual(t, deed.name, deed.left(1), contents(t, l.direct, next))
	}
}

// Who leaves meanwhile is not told that nothing was done.
func TestOutcomeStaysUnknownToWhoLeaves(t *testing.T) {
	t.Parallel()
	l := openLossy(t)
	l.SettleWithin(300 * time.Millisecond)
	for _, deed := range deeds {
		store, other := l.store(t), l.store(t)
		update(t, l.DB, func(tx *db.Tx) error { return deed.do(tx, other) })
		l.proxy.Refuse(true)
		lost := l.proxy.LoseAnswer("COMMIT")
		ctx, leave := context.WithCancel(t.Context())
		err := l.Update(ctx, func(tx *db.Tx) error {
			defer leave()
			return deed.do(tx, store)
		})
		if err == nil || !strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s: got error %v, want one that says that the outcome is unknown", deed.name, err)
		}
		<-lost
		l.proxy.Refuse(false)
		wantEqual(t, deed.name, deed.left(1), contents(t, l.direct, store))
	}
}

// Two transactions that wait for each other: the server undoes one of them, and
// it is done again.
func TestDeadlockIsResolved(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"deadlock_timeout": "50ms"}})
	d := dbtest.Open(t, s.URL())
	addStores(t, d, "a")
	addGroups(t, d, "a", newGroup(1, "one"), newGroup(2, "two"))
	var locked sync.WaitGroup // by each, the first time that it is called
	locked.Add(2)
	attempts := make([]int, 2)
	var both sync.WaitGroup
	for i, ids := range [][2]int64{{1, 2}, {2, 1}} {
		both.Go(func() {
			update(t, d, func(tx *db.Tx) error {
				attempts[i]++
				for n, id := range ids {
					g, err := tx.GroupForUpdate("a", id)
					if err != nil {
						return err
					}
					g.Name += "+"
					if err := tx.UpdateGroup("a", g); err != nil {
						return err
					}
					if n == 0 && attempts[i] == 1 {
						locked.Done()
						locked.Wait()
					}
				}
				return nil
			})
		})
	}
	both.Wait()
	wantEqual(t, "attempts", 3, attempts[0]+attempts[1])
	wantGroups(t, d, "a", newGroup(1, "one++"), newGroup(2, "two++"))
}

// holder holds a group as an outsider's transaction does.
func holder(t *testing.T, d *db.DB, store string, id int64) (release func()) {
	t.Helper()
	held, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.GroupForUpdate(store, id)
			close(held)
			<-end
			return errors.Join(err, errOurs) // it changes nothing
		})
	}()
	<-held
	return sync.OnceFunc(func() {
		close(end)
		if err := <-ended; !errors.Is(err, errOurs) {
			t.Error(err)
		}
	})
}

func TestRowThatIsHeldForLong(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	outsider := dbtest.Open(t, s.URL())
	prepareStore(t, outsider, "a")
	for limit, why := range map[string]string{
		"lock_timeout=100ms":      "lock timeout",
		"statement_timeout=100ms": "statement timeout",
	} {
		d := dbtest.Open(t, with(t, s.URL(), limit))
		release := holder(t, outsider, "a", 1)
		begun := time.Now()
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			if err := addNext(tx, "a", "never"); err != nil {
				return err
			}
			return deeds[1].do(tx, "a")
		})
		wantUnavailable(t, err, why)
		if took := time.Since(begun); took > 2*time.Second { // no second try
			t.Errorf("%s: it took %s", limit, took)
		}
		release()
		wantEqual(t, limit, deeds[1].left(0), contents(t, d, "a"))
	}
	update(t, outsider, func(tx *db.Tx) error { return deeds[1].do(tx, "a") })
	wantEqual(t, "afterwards", deeds[1].left(1), contents(t, outsider, "a"))
}

// Who finds no connection is told so after a while, and nothing is left of it.
func TestAllConnectionsAreInUse(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	d := dbtest.Open(t, with(t, s.URL(), "pool_max_conns=2"))
	prepareStore(t, d, "a")
	prepareStore(t, d, "b")
	releases := []func(){holder(t, d, "a", 1), holder(t, d, "b", 1)}
	var asking sync.WaitGroup
	for _, door := range doorsOf(d) {
		asking.Go(func() {
			err := door(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Group("a", 1)
				return err
			})
			wantUnavailable(t, err, "all connections to it are in use")
		})
	}
	asking.Go(func() {
		wantUnavailable(t, d.Update(t.Context(), func(tx *db.Tx) error { return addNext(tx, "a", "never") }), "in use")
	})
	asking.Wait()
	for _, release := range releases {
		release()
	}
	wantEqual(t, "the store", deeds[0].left(0), contents(t, d, "a"))
	update(t, d, func(tx *db.Tx) error { return deeds[0].do(tx, "a") })
	wantEqual(t, "the store", deeds[0].left(1), contents(t, d, "a"))
}

// A node that is led to a standby cannot write there, and does when that is
// promoted. It is told by the server and not by the URL.
func TestWritesToAStandby(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t, pgtest.Options{})
	standby := primary.Standby(t)
	u, err := url.Parse(primary.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = primary.Addr() + "," + standby.Addr()
	d := dbtest.Open(t, u.String())
	prepareStore(t, d, "a")
	primary.Synchronous(t, standby)
	update(t, d, func(tx *db.Tx) error { return deeds[1].do(tx, "a") })
	primary.Stop()
	for _, deed := range deeds[:2] {
		wantUnavailable(t, d.Update(t.Context(), func(tx *db.Tx) error { return deed.do(tx, "a") }), "read-only")
	}
	wantEqual(t, "the store", deeds[1].left(1), contents(t, d, "a")) // views go on
	standby.Promote()
	update(t, d, func(tx *db.Tx) error { return deeds[1].do(tx, "a") })
	wantEqual(t, "the store", deeds[1].left(2), contents(t, d, "a"))
}
