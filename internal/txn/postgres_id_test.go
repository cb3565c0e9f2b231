package txn_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/txn"
)

// Moves of a counter do not wait for the disk. After a crash or a failover the counter may
// therefore be lower than an id that a running transaction has. That transaction fails, and
// the next attempt takes an id from the server that is there now. Otherwise a later caller
// would get the same id.
func TestCounterIsLost(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgtest.Options{})
	d := dbtest.Open(t, pg.URL())
	addStores(t, d, "a")
	attempts := 0
	add := func(afterID func()) (id int64) {
		insert := func(tx *db.Tx) (err error) {
			attempts++
			return insertNext(tx, func(next int64) {
				id = next
				afterID()
			})
		}
		err := d.Update(t.Context(), insert)
		for cohort.KindOf(err) == cohort.KindUnavailable { // the server took longer than an update waits
			err = d.Update(t.Context(), insert)
		}
		if err != nil {
			t.Fatal(err)
		}
		if last := pg.Count(t, "SELECT last_id FROM counters"); last < id {
			t.Errorf("the counter is at %d behind id %d: a later group may get the id too", last, id)
		}
		return id
	}
	ids := []int64{add(func() {}), add(func() {})}
	for _, recover := range []func(){pg.Restart, func() { pg.Crash(t) }, pg.Restart} {
		lost := false
		ids = append(ids, add(func() {
			if lost {
				return
			}
			lost = true
			pg.Exec(t, "UPDATE counters SET last_id = last_id - 1")
			recover()
			view(t, d, func(tx *db.Tx) error { _, err := tx.Store("a"); return err }) // on a new connection, which the group then gets too
		}))
	}
	ids = append(ids, add(func() {}))
	if want := []int64{1, 2, 3, 4, 5, 6}; !slices.Equal(ids, want) || attempts < 9 {
		t.Errorf("the ids are %v after %d attempts, want %v and 9 or more", ids, attempts, want)
	}
}

// An attempt may take so long that there is no time for another one. The caller then gets the
// error of an unavailable database, after which it may try again.
func TestCounterIsLostInASlowAttempt(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgtest.Options{})
	d := dbtest.Open(t, pg.URL())
	d.SetTimeouts(txn.Timeouts{Retry: time.Nanosecond})
	addStores(t, d, "a")
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		return insertNext(tx, func(int64) {
			pg.Crash(t)
			for d.View(t.Context(), func(tx *db.Tx) error { _, err := tx.Store("a"); return err }) != nil {
				// until there is a new connection
			}
		})
	})
	wantUnavailable(t, err, "the server has changed")
}

// A checkpoint is no recovery: the transaction keeps its id, and no id is left out.
func TestCheckpointKeepsID(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgtest.Options{})
	d := dbtest.Open(t, pg.URL())
	addStores(t, d, "a")
	for want := int64(1); want <= 3; want++ {
		update(t, d, func(tx *db.Tx) error {
			return insertNext(tx, func(id int64) {
				if id != want {
					t.Errorf("the id is %d, want %d", id, want)
				}
				pg.Exec(t, "CHECKPOINT")
			})
		})
	}
}

// insertNext inserts a group of store a with the next id. It calls between after it has the
// id, and before it inserts.
func insertNext(tx *db.Tx, between func(id int64)) error {
	id, err := tx.NextID("a", "customer_group")
	if err != nil {
		return err
	}
	between(id)
	return tx.InsertGroup("a", newGroup(id, fmt.Sprint("group ", id)))
}
