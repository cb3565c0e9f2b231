package service_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/db/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func wantStores(t *testing.T, svc *service.Service, want ...cohort.Store) {
	t.Helper()
	got, err := svc.ListStores(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("stores (-want +got):\n%s", diff)
	}
}

func TestStoreLifecycle(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		wantStores(t, svc)
		if err := svc.Ready(t.Context()); err != nil {
			t.Errorf("an empty database is not ready: %v", err)
		}

		b, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "b", Plan: cohort.PlanPro, Quota: 9, AtOnce: 3, DateCreated: t0.AddDate(1, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		a, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil {
			t.Fatal(err)
		}
		wantA := cohort.Store{Hash: "a", Plan: cohort.PlanUnlimited, DateCreated: t0}
		wantB := cohort.Store{Hash: "b", Plan: cohort.PlanPro, Quota: 9, AtOnce: 3, DateCreated: t0}
		if diff := cmp.Diff([]cohort.Store{wantA, wantB}, []cohort.Store{a, b}); diff != "" {
			t.Errorf("returned (-want +got):\n%s", diff)
		}
		wantStores(t, svc, wantA, wantB)

		_, err = svc.CreateStore(t.Context(), cohort.Store{Hash: "a", Plan: cohort.PlanPro})
		wantKind(t, err, cohort.KindConflict)
		_, err = svc.CreateStore(t.Context(), cohort.Store{Hash: "C"})
		wantKind(t, err, cohort.KindInvalid)
		wantStores(t, svc, wantA, wantB)

		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		wantKind(t, svc.DeleteStore(t.Context(), "a"), cohort.KindNotFound)
		wantStores(t, svc, wantB)
	})
}

func TestUpdateStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		other := cohort.Store{Hash: "b", Plan: cohort.PlanUnlimited, DateCreated: t0}
		want := cohort.Store{Hash: "a", Plan: cohort.PlanEnterprise, Quota: 7, DateCreated: t0}
		got, err := svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Plan: new(cohort.PlanEnterprise), Quota: new(7)})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
		wantStores(t, svc, want, other)

		_, err = svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{AtOnce: new(5), Quota: new(0)})
		wantKind(t, err, cohort.KindInvalid)
		_, err = svc.UpdateStore(t.Context(), "none", cohort.StoreUpdate{AtOnce: new(5)})
		wantKind(t, err, cohort.KindNotFound)
		wantStores(t, svc, want, other)
	})
}

func TestStoreDateIsReturnedAsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		c.Set(t0.Add(time.Nanosecond))
		svc := newService(t, d, nil, service.WithClock(c.Now))
		st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil {
			t.Fatal(err)
		}
		wantStores(t, svc, st)
	})
}

func TestReadySaysWhenTheDatabaseIsGone(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		svc := service.New(d)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := svc.Ready(t.Context()); err == nil {
			t.Error("the service is ready without its database")
		}
	})
}
