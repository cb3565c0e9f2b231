package service_test

import (
	"context"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// search returns all that a search finds, in parts of two events.
func search(t *testing.T, svc *service.Service, q cohort.EventSearch) (all []cohort.Event) {
	t.Helper()
	for {
		found, err := svc.SearchEvents(t.Context(), "a", q, 2)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found.Events...)
		if found.Next == 0 {
			return all
		}
		q.Before = found.Next
	}
}

// A search finds the events that pass all of its conditions, the newest first.
func TestSearchEvents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		console := service.WithExplanation(service.ForActor(t.Context(), cohort.ActorConsole), "Ann", "")
		for i, ctx := range []context.Context{ctx, console, t.Context()} {
			g, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: string(rune('A' + i)), CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}})
			must(t, err)
			u := ada(string(rune('a'+i)) + "@example.com")
			u.GroupID = &g.ID
			_, err = svc.CreateCustomer(ctx, "a", u)
			must(t, err)
			_, err = svc.UpdateGroup(ctx, "a", g.ID, cohort.GroupUpdate{Name: new(string(rune('K' + i)))})
			must(t, err)
		}
		p, err := svc.CreateProduct(console, "a", cohort.Product{Name: "Shirt", Type: cohort.ProductPhysical})
		must(t, err)
		all := allEvents(t, svc, "a", 0)
		slices.Reverse(all)
		for name, test := range map[string]struct {
			query cohort.EventSearch
			pass  func(cohort.Event) bool
		}{
			"all":                {cohort.EventSearch{}, func(cohort.Event) bool { return true }},
			"a group":            {cohort.EventSearch{GroupID: 2}, func(e cohort.Event) bool { return e.GroupID == 2 }},
			"a customer":         {cohort.EventSearch{CustomerID: 3}, func(e cohort.Event) bool { return e.CustomerID == 3 }},
			"a product":          {cohort.EventSearch{ProductID: p.ID}, func(e cohort.Event) bool { return e.ProductID == p.ID }},
			"kinds":              {cohort.EventSearch{Kinds: []cohort.EventKind{cohort.MemberAdded, cohort.GroupUpdated}}, func(e cohort.Event) bool { return e.Kind == cohort.MemberAdded || e.Kind == cohort.GroupUpdated }},
			"an actor":           {cohort.EventSearch{Actor: cohort.ActorCommandLine}, func(e cohort.Event) bool { return e.Actor == cohort.ActorCommandLine }},
			"the name of one":    {cohort.EventSearch{Actor: "Ann"}, func(e cohort.Event) bool { return e.Actor == cohort.ActorConsole }},
			"several conditions": {cohort.EventSearch{GroupID: 2, Kinds: []cohort.EventKind{cohort.GroupUpdated}}, func(e cohort.Event) bool { return e.GroupID == 2 && e.Kind == cohort.GroupUpdated }},
			"nothing":            {cohort.EventSearch{GroupID: 1, CustomerID: 3}, func(cohort.Event) bool { return false }},
			"older ones":         {cohort.EventSearch{Before: 5}, func(e cohort.Event) bool { return e.Number < 5 }},
			"none that old":      {cohort.EventSearch{Before: 1}, func(cohort.Event) bool { return false }},
		} {
			var want []cohort.Event
			for _, e := range all {
				if test.pass(e) {
					want = append(want, e)
				}
			}
			if diff := cmp.Diff(want, search(t, svc, test.query), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		_, err = svc.SearchEvents(t.Context(), "a", cohort.EventSearch{}, 0)
		wantKind(t, err, cohort.KindInvalid)
	})
}

// A search finds what is behind many events that do not pass.
func TestSearchEventsInWindows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		newStoreWithEvents(t, svc, "a")
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			return tx.Later(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
				INSERT INTO events (store_hash, number, date_created, kind, group_id, customer_id, actor, request_id, changes)
				SELECT CAST($1 AS TEXT), i, 0, CASE WHEN i IN (3, 9) THEN 'customerGroup.deleted' ELSE 'customer.updated' END, 0, 1, 'x', '', '{}' FROM n`, "a")
		})
		must(t, err)
		var numbers []int64
		for _, e := range search(t, svc, cohort.EventSearch{Kinds: []cohort.EventKind{cohort.GroupDeleted}}) {
			numbers = append(numbers, e.Number)
		}
		if !slices.Equal(numbers, []int64{9, 3}) {
			t.Errorf("found %v", numbers)
		}
		found, err := svc.SearchEvents(t.Context(), "a", cohort.EventSearch{Kinds: []cohort.EventKind{cohort.BrandCreated}}, 50)
		if err != nil || found.Next != 0 || len(found.Events) != 0 {
			t.Errorf("found %+v, %v", found, err)
		}
	})
}
