package service_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// Before there was a maximum, a group could name more categories than it may now.
func TestAGroupOfTooManyCategoriesStaysUsable(t *testing.T) {
	large := cohort.Group{ID: 1, Name: "large", CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific}, DateCreated: t0, DateModified: t0}
	for id := range int64(cohort.MaxCategoriesOfGroup + 1) {
		large.CategoryAccess.Categories = append(large.CategoryAccess.Categories, id+1)
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertGroup("a", large) }); err != nil {
			t.Fatal(err)
		}
		wantGroups(t, svc, "a", large)

		want := large
		want.Name = "renamed"
		got, err := svc.UpdateGroup(t.Context(), "a", large.ID, cohort.GroupUpdate{Name: &want.Name})
		if err != nil {
			t.Fatal(err)
		}
		wantGroups(t, svc, "a", got)
		if got.Name != want.Name || len(got.CategoryAccess.Categories) != len(large.CategoryAccess.Categories) {
			t.Errorf("after a change of the name: %q with %d categories", got.Name, len(got.CategoryAccess.Categories))
		}

		_, err = svc.UpdateGroup(t.Context(), "a", large.ID, cohort.GroupUpdate{CategoryAccess: &large.CategoryAccess})
		wantKind(t, err, cohort.KindInvalid)
	})
}
