package service_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
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

		b, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "b", Plan: cohort.PlanPro, Quota: 9, Concurrency: 3, DateCreated: t0.AddDate(1, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		a, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil {
			t.Fatal(err)
		}
		wantA := cohort.Store{Hash: "a", Key: "a", DateCreated: t0}.WithDefaults()
		wantB := cohort.Store{Hash: "b", Key: "b", Plan: cohort.PlanPro, Quota: 9, Concurrency: 3, DateCreated: t0}.WithDefaults()
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
		other := cohort.Store{Hash: "b", Key: "b", DateCreated: t0}.WithDefaults()
		want := cohort.Store{Hash: "a", Key: "a", Plan: cohort.PlanEnterprise, Quota: 7, DateCreated: t0}.WithDefaults()
		got, err := svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Plan: new(cohort.PlanEnterprise), Quota: new(7)})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
		wantStores(t, svc, want, other)

		_, err = svc.UpdateStore(t.Context(), "a", cohort.StoreUpdate{Concurrency: new(5), Quota: new(0)})
		wantKind(t, err, cohort.KindInvalid)
		_, err = svc.UpdateStore(t.Context(), "none", cohort.StoreUpdate{Concurrency: new(5)})
		wantKind(t, err, cohort.KindNotFound)
		wantStores(t, svc, want, other)
	})
}

func TestStoreDateIsReturnedAsStored(t *testing.T) {
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

func TestReadyWithClosedDatabase(t *testing.T) {
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
			t.Error("the service is ready with a closed database")
		}
	})
}

// The catalog mode and the currency are stored, and an update changes one field only.
func TestStoreCatalogAndCurrency(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		created, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a", Catalog: cohort.CatalogManaged, Currency: "jpy"})
		if err != nil {
			t.Fatal(err)
		}
		want := cohort.Store{Hash: "a", Key: "a", Plan: cohort.PlanUnlimited, Catalog: cohort.CatalogManaged, Currency: "JPY", DateCreated: t0}
		if created != want {
			t.Errorf("created %+v, want %+v", created, want)
		}
		wantStores(t, svc, want)
		for _, c := range []struct {
			update cohort.StoreUpdate
			change func(*cohort.Store)
		}{
			{cohort.StoreUpdate{Catalog: new(cohort.CatalogExternal)}, func(s *cohort.Store) { s.Catalog = cohort.CatalogExternal }},
			{cohort.StoreUpdate{Currency: new("kwd")}, func(s *cohort.Store) { s.Currency = "KWD" }},
			{cohort.StoreUpdate{Concurrency: new(5)}, func(s *cohort.Store) { s.Concurrency = 5 }},
		} {
			c.change(&want)
			if got, err := svc.UpdateStore(t.Context(), "a", c.update); got != want || err != nil {
				t.Errorf("updated to %+v, want %+v, error %v", got, want, err)
			}
			wantStores(t, svc, want)
		}
		for _, u := range []cohort.StoreUpdate{{Catalog: new(cohort.CatalogMode("both"))}, {Currency: new("XXX")}} {
			_, err := svc.UpdateStore(t.Context(), "a", u)
			wantKind(t, err, cohort.KindInvalid)
		}
		wantStores(t, svc, want)
		_, err = svc.CreateStore(t.Context(), cohort.Store{Hash: "b", Currency: "XXX"})
		wantKind(t, err, cohort.KindInvalid)
	})
}
