package service_test

import (
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// newSegments returns the updates that create segments with the names.
func newSegments(names ...string) (us []cohort.SegmentUpdate) {
	for _, name := range names {
		us = append(us, cohort.SegmentUpdate{Name: &name})
	}
	return us
}

// wantOneBatch fails unless one call succeeded and each other one returned a conflict
// about the items of its batch.
func wantOneBatch(t *testing.T, what string, errs []error) {
	t.Helper()
	succeeded := 0
	for _, err := range errs {
		if err == nil {
			succeeded++
			continue
		}
		if _, ok := errors.AsType[cohort.ItemErrors](err); !ok || cohort.KindOf(err) != cohort.KindConflict {
			t.Errorf("%s: got %v, want a conflict of an item", what, err)
		}
	}
	if succeeded != 1 {
		t.Errorf("%s: %d of %d calls succeeded, want 1", what, succeeded, len(errs))
	}
}

func countSegments(t *testing.T, svc *service.Service, store string) int64 {
	t.Helper()
	var list collected[cohort.Segment]
	n, err := svc.ReadSegments(t.Context(), store, nil, cohort.Page{Number: 1, Size: 1}, &list)
	if err != nil {
		t.Error(err)
	}
	return n
}

// TestSegmentConflictsTogether sends the same batch several times at once: the name of a
// segment, the profile of a customer, and a membership exist once afterwards.
func TestSegmentConflictsTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		ctx := t.Context()
		dbtest.AddCustomers(t, d, "a", dbtest.NewCustomer(1, 0), dbtest.NewCustomer(2, 0))
		wantOneBatch(t, "segments", together(8, func(int) error {
			_, err := svc.CreateSegments(ctx, "a", newSegments("Gold", "Silver"))
			return err
		}))
		wantOneBatch(t, "profiles", together(8, func(i int) error {
			_, err := svc.CreateShopperProfiles(ctx, "a", []int64{int64(1 + i%2), int64(2 - i%2)})
			return err
		}))
		var segments collected[cohort.Segment]
		var profiles collected[cohort.ShopperProfile]
		page := cohort.Page{Number: 1, Size: 50}
		n, err := svc.ReadSegments(ctx, "a", nil, page, &segments)
		if err != nil || n != 2 {
			t.Fatalf("%d segments, %v", n, err)
		}
		if n, err = svc.ReadShopperProfiles(ctx, "a", page, &profiles); err != nil || n != 2 {
			t.Fatalf("%d profiles, %v", n, err)
		}
		wantOneBatch(t, "members", together(8, func(i int) error {
			_, err := svc.AddMembers(ctx, "a", segments[0].ID, []string{profiles[i%2].ID, profiles[1-i%2].ID})
			return err
		}))
		if n, err = svc.ReadMembers(ctx, "a", segments[0].ID, page, &profiles); err != nil || n != 2 {
			t.Errorf("%d members, %v", n, err)
		}
	})
}

// TestMaxSegmentsTogether checks that concurrent creates stop at the maximum.
func TestMaxSegmentsTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		batch := func(i, size int) error {
			var names []string
			for n := range size {
				names = append(names, fmt.Sprintf("%d of batch %d", n, i))
			}
			_, err := svc.CreateSegments(t.Context(), "a", newSegments(names...))
			return err
		}
		if err := batch(0, cohort.MaxSegments-25); err != nil {
			t.Fatal(err)
		}
		created := 0
		for _, err := range together(6, func(i int) error { return batch(i+1, 10) }) {
			switch {
			case err == nil:
				created++
			case cohort.KindOf(err) != cohort.KindInvalid:
				t.Error(err)
			}
		}
		if n := countSegments(t, svc, "a"); created != 2 || n != cohort.MaxSegments-5 {
			t.Errorf("%d batches created, %d segments", created, n)
		}
	})
}

// TestProfilesAndDeletionTogether creates profiles while all profiles are deleted again
// and again. A profile that a later deletion cannot have seen exists.
func TestProfilesAndDeletionTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		ctx := t.Context()
		const customers = 6
		for id := range int64(customers) {
			dbtest.AddCustomers(t, d, "a", dbtest.NewCustomer(id+1, 0))
		}
		for _, err := range together(customers+3, func(i int) error {
			if i >= customers {
				return svc.DeleteShopperProfiles(ctx, "a", nil)
			}
			_, err := svc.CreateShopperProfiles(ctx, "a", []int64{int64(i + 1)})
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		if err := svc.DeleteShopperProfiles(ctx, "a", nil); err != nil {
			t.Fatal(err)
		}
		for id := range int64(customers) {
			if _, err := svc.CreateShopperProfiles(ctx, "a", []int64{id + 1}); err != nil {
				t.Errorf("customer %d after the deletion: %v", id+1, err)
			}
		}
		for more := true; more; {
			var err error
			if more, err = svc.SweepTombstones(ctx); err != nil {
				t.Fatal(err)
			}
		}
		var profiles collected[cohort.ShopperProfile]
		if n, err := svc.ReadShopperProfiles(ctx, "a", cohort.Page{Number: 1, Size: 50}, &profiles); n != customers || err != nil {
			t.Errorf("%d profiles, %v", n, err)
		}
	})
}
