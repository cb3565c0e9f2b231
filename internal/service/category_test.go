package service_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// AllCategories builds the tree in memory, so its size is bounded.
func TestTreeIsBounded(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		add := func(from, to int64) {
			t.Helper()
			err := d.Update(t.Context(), func(tx *db.Tx) error {
				for id := from; id <= to; id++ {
					if err := tx.InsertCategory("a", cohort.Category{ID: id, Name: "x"}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		add(1, service.MaxTreeCategories)
		if list, err := svc.AllCategories(t.Context(), "a"); len(list) != service.MaxTreeCategories || err != nil {
			t.Errorf("AllCategories returned %d categories, error %v", len(list), err)
		}
		add(service.MaxTreeCategories+1, service.MaxTreeCategories+1)
		list, err := svc.AllCategories(t.Context(), "a")
		wantKind(t, err, cohort.KindTooLarge)
		if list != nil {
			t.Errorf("AllCategories returned %d categories with the error", len(list))
		}
	})
}
