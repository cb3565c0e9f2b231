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

// tooManyGroups is how many groups make a store too large to be deleted with all its rows at
// once.
const tooManyGroups = 501

// eachDeleted runs a test in a bubble on a database of each engine, with a large
// store "a" that is deleted.
func eachDeleted(t *testing.T, fn func(t *testing.T, d *db.DB, svc *service.Service, deleted service.DeletedStore)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) {
			d := dbtest.Open(t, url)
			svc := newService(t, d, []string{"a", "b"}, service.WithClock(time.Now))
			addMany(t, d, "a", tooManyGroups)
			mustCreate(t, svc, "b", cohort.Group{Name: "stays"})
			if err := svc.DeleteStore(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			deleted, err := svc.DeletedStores(t.Context())
			if err != nil || len(deleted) != 1 || deleted[0].Key != "a" {
				t.Fatalf("deleted are %v, error %v", deleted, err)
			}
			fn(t, d, svc, deleted[0])
		})
	})
}

// wantCount fails unless there are so many rows of groups.
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

// A large store is gone at once. Its rows stay until no node can take its tokens for
// good any more, and go in the end.
func TestDeletedStoreIsSwept(t *testing.T) {
	eachDeleted(t, func(t *testing.T, d *db.DB, svc *service.Service, deleted service.DeletedStore) {
		_, err := svc.Store(t.Context(), "a")
		wantKind(t, err, cohort.KindNotFound)
		wantKind(t, svc.DeleteStore(t.Context(), "a"), cohort.KindNotFound)
		_, err = svc.CreateGroup(t.Context(), "a", cohort.Group{Name: "x"})
		wantKind(t, err, cohort.KindNotFound)
		_, _, err = svc.CreateToken(t.Context(), cohort.Token{StoreHash: "a", Scopes: cohort.Scopes()})
		wantKind(t, err, cohort.KindNotFound)
		_, err = svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Concurrency: new(5)})
		wantKind(t, err, cohort.KindNotFound)

		next, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil || next.Key != "a~2" {
			t.Fatalf("the next store is %+v, error %v", next, err)
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
		if err != nil || last < tooManyGroups {
			t.Errorf("%d rows are swept, error %v", last, err)
		}
		if rows != last {
			t.Errorf("%d rows were counted, and %d swept", rows, last)
		}
		if first < time.Second {
			t.Errorf("the first rows go after %s", first)
		}
		left, err := svc.DeletedStores(t.Context())
		if len(left) != 0 || err != nil {
			t.Errorf("left are %v, error %v", left, err)
		}
		wantCount(t, d, "a", 0)
		wantCount(t, d, next.Key, 1)
		wantCount(t, d, "b", 1)
	})
}

// A sweep that is stopped leaves the store to the next one.
func TestSweepThatIsStopped(t *testing.T) {
	eachDeleted(t, func(t *testing.T, d *db.DB, svc *service.Service, deleted service.DeletedStore) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := svc.SweepStore(ctx, deleted, func(int64) { t.Error("it has begun") })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		wantCount(t, d, "a", tooManyGroups)
		if err := svc.SweepStore(t.Context(), deleted, func(int64) {}); err != nil {
			t.Error(err)
		}
		wantCount(t, d, "a", 0)
	})
}

// A small store goes with all of its rows.
func TestSmallStoreIsDeletedAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		mustCreate(t, svc, "a", cohort.Group{Name: "x"})
		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		left, err := svc.DeletedStores(t.Context())
		if len(left) != 0 || err != nil {
			t.Errorf("left are %v, error %v", left, err)
		}
		wantCount(t, d, "a", 0)
	})
}

// What another pricing system is told names the store by its hash.
func TestPushNamesTheHash(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
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
			t.Errorf("told is %+v", p.calls)
		}
	})
}
