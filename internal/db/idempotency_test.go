package db_test

import (
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

func newKey(store, key string) db.IdempotencyKey {
	return db.IdempotencyKey{StoreKey: store, TokenID: "token 1", Key: key}
}

func newAnswer(body string) db.KeptAnswer {
	return db.KeptAnswer{Fingerprint: "f", Status: 200, Header: "{}", Body: body, BusyUntil: t0.Add(time.Second), DateCreated: t0}
}

func keepAnswer(t *testing.T, d *db.DB, k db.IdempotencyKey, a db.KeptAnswer) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error { return tx.KeepAnswer(k, a) })
}

// wantAnswer fails unless the answer is kept for the key, or none if it is zero. It returns
// the number of ids that the store's keys use up.
func wantAnswer(t *testing.T, d *db.DB, k db.IdempotencyKey, want db.KeptAnswer) (span int64) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		got, found, n, err := tx.KeptAnswer(k)
		if diff := cmp.Diff(want, got); diff != "" || found != (want != db.KeptAnswer{}) {
			t.Errorf("%v: found %v (-want +got):\n%s", k, found, diff)
		}
		span = n
		return err
	})
	return span
}

// A key is of a store and a token. A later answer replaces an earlier one.
func TestKeepAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		k := newKey("a", "k")
		if span := wantAnswer(t, d, k, db.KeptAnswer{}); span != 0 {
			t.Errorf("a store without keys has a span of %d", span)
		}
		keepAnswer(t, d, k, newAnswer("first"))
		wantAnswer(t, d, k, newAnswer("first"))
		other := k
		other.TokenID = "token 2"
		for _, free := range []db.IdempotencyKey{other, newKey("b", "k"), newKey("a", "K")} {
			wantAnswer(t, d, free, db.KeptAnswer{})
		}
		later := db.KeptAnswer{Fingerprint: "g", Status: 207, Header: `{"Location":["x"]}`, Body: "second", DateCreated: t0.Add(time.Hour)}
		keepAnswer(t, d, newKey("a", "between"), newAnswer("x"))
		keepAnswer(t, d, k, later)
		if span := wantAnswer(t, d, k, later); span != 2 {
			t.Errorf("the span of 2 keys is %d", span)
		}
		update(t, d, func(tx *db.Tx) error {
			return tx.ChangeAnswer(k, db.KeptAnswer{Status: 200, Header: "{}", Body: "third"})
		})
		later.Status, later.Header, later.Body = 200, "{}", "third"
		wantAnswer(t, d, k, later)
	})
}

// The keys that have expired, or are of a future that was set back, are swept in batches.
func TestSweepKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b", "c")
		at := func(age time.Duration) db.KeptAnswer {
			a := newAnswer("x")
			a.DateCreated = t0.Add(-age)
			return a
		}
		update(t, d, func(tx *db.Tx) error {
			for i := range 150 {
				if err := tx.KeepAnswer(newKey("a", "old "+string(rune('0'+i))), at(25*time.Hour)); err != nil {
					return err
				}
			}
			return nil
		})
		keepAnswer(t, d, newKey("a", "future"), at(-25*time.Hour))
		keepAnswer(t, d, newKey("a", "new"), at(23*time.Hour))
		keepAnswer(t, d, newKey("c", "new"), at(0))
		var stores []string
		view(t, d, func(tx *db.Tx) error {
			for after := ""; ; {
				next, first, err := tx.NextStoreWithKeys(after)
				if err != nil || next == "" {
					return err
				}
				stores, after = append(stores, next+" "+first.Sub(t0).String()), next
			}
		})
		if diff := cmp.Diff([]string{"a -25h0m0s", "c 0s"}, stores); diff != "" {
			t.Errorf("stores (-want +got):\n%s", diff)
		}
		for _, want := range []bool{true, false, false} {
			update(t, d, func(tx *db.Tx) error {
				more, err := tx.SweepKeys("a", t0.Add(-24*time.Hour), t0.Add(24*time.Hour))
				if more != want {
					t.Errorf("there are more: %v, want %v", more, want)
				}
				return err
			})
		}
		if span := wantAnswer(t, d, newKey("a", "new"), at(23*time.Hour)); span != 1 {
			t.Errorf("the span of one key is %d", span)
		}
		wantAnswer(t, d, newKey("c", "new"), at(0))
	})
}

// A transaction that holds a key keeps other nodes out, as long as it lasts.
func TestHoldKey(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		here, there := dbtest.Open(t, url), dbtest.Open(t, url)
		if here.SeesAllWrites() {
			t.Skip("SQLite has one writer at a time")
		}
		hold := func(d *db.DB, k db.IdempotencyKey, then func()) (free bool) {
			t.Helper()
			update(t, d, func(tx *db.Tx) (err error) {
				free, err = tx.HoldKey(k)
				then()
				return err
			})
			return free
		}
		hold(here, newKey("a", "k"), func() {
			if hold(there, newKey("a", "k"), func() {}) {
				t.Error("two transactions hold a key")
			}
			if !hold(there, newKey("a", "l"), func() {}) || !hold(there, newKey("b", "k"), func() {}) {
				t.Error("another key is held")
			}
		})
		if !hold(there, newKey("a", "k"), func() {}) {
			t.Error("the key is still held")
		}
	})
}

// Neither a reset nor a restore of a snapshot keeps keys: a retry must not tell of what is
// gone. A deleted store has none.
func TestKeysOfAStoreThatIsReplaced(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		keepAnswer(t, d, newKey("b", "k"), newAnswer("x"))
		keepAnswer(t, d, newKey("a", "k"), newAnswer("x"))
		saveSnapshot(t, d, "a", "base")
		for name, replace := range map[string]func(tx *db.Tx) error{
			"reset":   func(tx *db.Tx) error { return tx.ClearStore("a", t0) },
			"restore": func(tx *db.Tx) error { _, err := tx.RestoreSnapshot("a", "base", t0); return err },
		} {
			keepAnswer(t, d, newKey("a", name), newAnswer("x"))
			update(t, d, replace)
			wantAnswer(t, d, newKey("a", name), db.KeptAnswer{})
		}
		keepAnswer(t, d, newKey("a", "k"), newAnswer("x"))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantAnswer(t, d, newKey("a", "k"), db.KeptAnswer{})
		wantAnswer(t, d, newKey("b", "k"), newAnswer("x"))
	})
}
