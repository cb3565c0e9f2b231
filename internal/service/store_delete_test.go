package service_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// largeStoreGroups is a number of groups with which DeleteStore leaves the rows to the
// sweep.
const largeStoreGroups = 501

// eachDeleted runs a test in a synctest bubble on a database of each engine, in which a
// large store "a" has just been deleted.
func eachDeleted(t *testing.T, fn func(t *testing.T, d *db.DB, svc *service.Service, deleted service.DeletedStore)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) {
			d := dbtest.Open(t, url)
			svc := newService(t, d, []string{"a", "b"}, service.WithClock(time.Now))
			addMany(t, d, "a", largeStoreGroups)
			mustCreate(t, svc, "b", cohort.Group{Name: "stays"})
			if err := svc.DeleteStore(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			deleted, err := svc.DeletedStores(t.Context())
			if err != nil || len(deleted) != 1 || deleted[0].Key != "a" {
				t.Fatalf("the deleted stores are %v, error %v, want store a", deleted, err)
			}
			fn(t, d, svc, deleted[0])
		})
	})
}

// wantCount fails unless the store with the key has this number of rows of groups.
func wantCount(t *testing.T, d *db.DB, key string, want int64) {
	t.Helper()
	var n int64
	err := d.View(t.Context(), func(tx *db.Tx) (err error) {
		n, err = tx.CountGroups(key, cohort.GroupFilter{})
		return err
	})
	if n != want || err != nil {
		t.Errorf("store %s has %d groups, want %d, error %v", key, n, want, err)
	}
}

// A deleted large store does not exist from then on. Its rows are deleted once no node can
// accept its tokens any more.
func TestDeletedStoreIsSwept(t *testing.T) {
	eachDeleted(t, func(t *testing.T, d *db.DB, svc *service.Service, deleted service.DeletedStore) {
		_, err := svc.Store(t.Context(), "a")
		wantKind(t, err, cohort.KindNotFound)
		wantKind(t, svc.DeleteStore(t.Context(), "a"), cohort.KindNotFound)
		_, err = svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "x"})
		wantKind(t, err, cohort.KindNotFound)
		_, _, err = svc.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: cohort.Scopes()})
		wantKind(t, err, cohort.KindNotFound)
		_, err = svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Concurrency: new(5)})
		wantKind(t, err, cohort.KindNotFound)

		next, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil || next.Key != "a~2" {
			t.Fatalf("the recreated store is %+v, error %v, want the key a~2", next, err)
		}
		mustCreate(t, svc, next.Key, cohort.Group{Name: "x"})

		rows, err := svc.CountStoreRows(t.Context(), deleted.Key)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		first, last := time.Duration(0), int64(0)
		err = svc.SweepStore(t.Context(), deleted, func(rows int64) {
			if first == 0 {
				first = time.Since(begun)
			}
			last = rows
		})
		if err != nil || last < largeStoreGroups {
			t.Errorf("%d rows were swept, error %v", last, err)
		}
		if rows != last {
			t.Errorf("%d rows were counted, and %d swept", rows, last)
		}
		if first < time.Second {
			t.Errorf("the first rows were deleted after %s, want at least 1 s", first)
		}
		left, err := svc.DeletedStores(t.Context())
		if len(left) != 0 || err != nil {
			t.Errorf("the stores left to sweep are %v, error %v, want none", left, err)
		}
		wantCount(t, d, "a", 0)
		wantCount(t, d, next.Key, 1)
		wantCount(t, d, "b", 1)
	})
}

// The sweep of a store can be cancelled and repeated.
func TestSweepIsCancelled(t *testing.T) {
	eachDeleted(t, func(t *testing.T, d *db.DB, svc *service.Service, deleted service.DeletedStore) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := svc.SweepStore(ctx, deleted, func(int64) { t.Error("the cancelled sweep deleted rows") })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the sweep returned %v, want context.Canceled", err)
		}
		wantCount(t, d, "a", largeStoreGroups)
		if err := svc.SweepStore(t.Context(), deleted, func(int64) {}); err != nil {
			t.Error(err)
		}
		wantCount(t, d, "a", 0)
	})
}

// A small store is deleted with all its rows.
func TestSmallStoreIsDeletedAtOnce(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		mustCreate(t, svc, "a", cohort.Group{Name: "x"})
		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		left, err := svc.DeletedStores(t.Context())
		if len(left) != 0 || err != nil {
			t.Errorf("the stores left to sweep are %v, error %v, want none", left, err)
		}
		wantCount(t, d, "a", 0)
	})
}

// Notifications of a pricing system name the store by its hash, not its key.
func TestPushNamesTheHash(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		p := &pricing{}
		svc := newService(t, d, []string{"a"}, service.WithPusher(p))
		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil {
			t.Fatal(err)
		}
		mustCreate(t, svc, st.Key, cohort.Group{Name: "x", DiscountRules: []cohort.DiscountRule{{Type: cohort.RuleAll, Method: cohort.MethodPercent}}})
		if len(p.calls) != 1 || p.calls[0].StoreHash != "a" {
			t.Errorf("the calls are %+v, want one for store a", p.calls)
		}
	})
}
