package db_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func newAttribute(name string, kind cohort.AttributeType) cohort.Attribute {
	return cohort.Attribute{Name: name, Type: kind, DateCreated: t0, DateModified: t0}
}

// addAttributes adds attributes and returns them with their ids.
func addAttributes(t testing.TB, d *db.DB, store string, attributes ...cohort.Attribute) (created []cohort.Attribute) {
	t.Helper()
	update(t, d, func(tx *db.Tx) (err error) {
		if err := tx.LockAttributes(store); err != nil {
			return err
		}
		created, err = tx.CreateAttributes(store, attributes)
		return err
	})
	return created
}

// wantAttributes fails unless exactly these attributes pass the filter, in the list and
// by the count.
func wantAttributes(t testing.TB, d *db.DB, store string, f cohort.AttributeFilter, want ...cohort.Attribute) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		var got []cohort.Attribute
		err := tx.ReadAttributes(store, f, onePage, func(a cohort.Attribute) bool {
			got = append(got, a)
			return true
		})
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("attributes of %s (-want +got):\n%s", store, diff)
		}
		return err
	})
	view(t, d, func(tx *db.Tx) error {
		n, err := tx.CountAttributes(store, f)
		if n != int64(len(want)) {
			t.Errorf("%d attributes by the count, want %d", n, len(want))
		}
		return err
	})
}

func TestAttributes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addAttributes(t, d, "b", newAttribute("Age", cohort.AttributeString))
		later := newAttribute("Größe", cohort.AttributeDate)
		later.DateCreated, later.DateModified = t0.Add(time.Hour), t0.Add(2*time.Hour)
		all := addAttributes(t, d, "a", newAttribute("Age", cohort.AttributeNumber), later, newAttribute("Age", cohort.AttributeString))
		if all[0].ID != 1 || all[2].ID != 3 {
			t.Errorf("ids %d to %d, want 1 to 3", all[0].ID, all[2].ID)
		}
		wantAttributes(t, d, "a", cohort.AttributeFilter{}, all...)
		name := "Age"
		wantAttributes(t, d, "a", cohort.AttributeFilter{Name: &name}, all[0], all[2])
		wantAttributes(t, d, "a", cohort.AttributeFilter{NameLike: "RÖSS"}, all[1])
		wantAttributes(t, d, "a", cohort.AttributeFilter{Types: []cohort.AttributeType{cohort.AttributeDate}}, all[1])
		wantAttributes(t, d, "a", cohort.AttributeFilter{DateCreated: cohort.TimeRange{From: t0.Add(time.Minute)}}, all[1])
		wantAttributes(t, d, "a", cohort.AttributeFilter{DateModified: cohort.TimeRange{Until: t0.Add(time.Minute)}}, all[0], all[2])
	})
}

func TestUpdateAttributes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		all := addAttributes(t, d, "a", newAttribute("Age", cohort.AttributeNumber), newAttribute("Size", cohort.AttributeString))
		all[1].Name, all[1].DateModified = "Shoe size", t0.Add(time.Second)
		update(t, d, func(tx *db.Tx) error {
			got, err := tx.AttributesForUpdate("a", []int64{2, 99})
			if len(got) != 1 || got[2].Name != "Size" {
				t.Errorf("locked %v, want attribute 2", got)
			}
			if err != nil {
				return err
			}
			return tx.UpdateAttributes("a", nil, all[1:])
		})
		wantAttributes(t, d, "a", cohort.AttributeFilter{}, all...)
		wantAttributes(t, d, "a", cohort.AttributeFilter{NameLike: "SHOE"}, all[1])
	})
}

// TestDeletedAttributeHasNoValues checks that no read returns a deleted attribute or a
// value of it, although the rows are still there.
func TestDeletedAttributeHasNoValues(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			addCustomers(t, d, store, newCustomer(1, 0))
			addAttributes(t, d, store, newAttribute("Age", cohort.AttributeNumber), newAttribute("Size", cohort.AttributeString))
			putAttributeValues(t, d, store, newAttributeValue(1, 1, 1, "30"), newAttributeValue(2, 1, 2, "L"))
		}
		update(t, d, func(tx *db.Tx) error { return tx.DeleteAttributes("a", []int64{1, 99}, t0) })

		left := cohort.Attribute{ID: 2, Name: "Size", Type: cohort.AttributeString, DateCreated: t0, DateModified: t0}
		wantAttributes(t, d, "a", cohort.AttributeFilter{}, left)
		wantAttributeValues(t, d, "a", cohort.AttributeValueFilter{}, newAttributeValue(2, 1, 2, "L"))
		name := "Age"
		wantAttributeValues(t, d, "a", cohort.AttributeValueFilter{AttributeName: &name})
		wantAttributeValues(t, d, "a", cohort.AttributeValueFilter{AttributeIDs: []int64{1}})
		view(t, d, func(tx *db.Tx) error {
			of, err := tx.AttributeValuesOfCustomers("a", []int64{1}, 10)
			if err != nil || len(of[1]) != 1 || of[1][0].ID != 2 {
				t.Errorf("customer 1 has %v, %v, want value 2", of[1], err)
			}
			counts, err := tx.AttributeCounts("a", []int64{1})
			if counts[1] != 1 {
				t.Errorf("%d values by the count, want 1", counts[1])
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error {
			held, err := tx.HoldAttributes("a", []int64{1, 2})
			if len(held) != 1 || held[2].Name != "Size" {
				t.Errorf("held %v, want attribute 2", held)
			}
			return err
		})
		wantAttributeValues(t, d, "b", cohort.AttributeValueFilter{}, newAttributeValue(1, 1, 1, "30"), newAttributeValue(2, 1, 2, "L"))
	})
}
