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

func newAttributeValue(id, customerID, attributeID int64, value string) cohort.AttributeValue {
	return cohort.AttributeValue{ID: id, CustomerID: customerID, AttributeID: attributeID, Value: value, DateCreated: t0, DateModified: t0}
}

func putAttributeValues(t testing.TB, d *db.DB, store string, values ...cohort.AttributeValue) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error { return tx.PutAttributeValues(store, values, nil) })
}

// wantAttributeValues fails unless exactly these values pass the filter, in the list and
// by the count.
func wantAttributeValues(t testing.TB, d *db.DB, store string, f cohort.AttributeValueFilter, want ...cohort.AttributeValue) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		var got []cohort.AttributeValue
		err := tx.ReadAttributeValues(store, f, onePage, func(v cohort.AttributeValue) bool {
			got = append(got, v)
			return true
		})
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("values of %s (-want +got):\n%s", store, diff)
		}
		return err
	})
	view(t, d, func(tx *db.Tx) error {
		n, err := tx.CountAttributeValues(store, f)
		if n != int64(len(want)) {
			t.Errorf("%d values by the count, want %d", n, len(want))
		}
		return err
	})
}

// addValuesFixture adds three customers and two attributes to store a.
func addValuesFixture(t testing.TB, d *db.DB) {
	t.Helper()
	addStores(t, d, "a")
	addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0), newCustomer(3, 0))
	addAttributes(t, d, "a", newAttribute("Age", cohort.AttributeNumber), newAttribute("Size", cohort.AttributeString))
}

func TestAttributeValueFilters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addValuesFixture(t, d)
		age, size, other := newAttributeValue(1, 1, 1, "30"), newAttributeValue(2, 1, 2, "L"), newAttributeValue(3, 2, 2, "30")
		other.DateCreated, other.DateModified = t0.Add(time.Hour), t0.Add(2*time.Hour)
		putAttributeValues(t, d, "a", other, size, age)
		name := "Size"
		for _, tt := range []struct {
			filter cohort.AttributeValueFilter
			want   []cohort.AttributeValue
		}{
			{cohort.AttributeValueFilter{}, []cohort.AttributeValue{age, size, other}},
			{cohort.AttributeValueFilter{IDs: []int64{3, 1}}, []cohort.AttributeValue{age, other}},
			{cohort.AttributeValueFilter{CustomerIDs: []int64{1, 3}}, []cohort.AttributeValue{age, size}},
			{cohort.AttributeValueFilter{AttributeIDs: []int64{2}}, []cohort.AttributeValue{size, other}},
			{cohort.AttributeValueFilter{Values: []string{"30"}, CustomerIDs: []int64{2}}, []cohort.AttributeValue{other}},
			{cohort.AttributeValueFilter{AttributeName: &name}, []cohort.AttributeValue{size, other}},
			{cohort.AttributeValueFilter{DateCreated: cohort.TimeRange{From: t0.Add(time.Minute)}}, []cohort.AttributeValue{other}},
			{cohort.AttributeValueFilter{DateModified: cohort.TimeRange{Until: t0.Add(time.Minute)}}, []cohort.AttributeValue{age, size}},
		} {
			wantAttributeValues(t, d, "a", tt.filter, tt.want...)
		}
	})
}

func TestPutAttributeValuesOverwrites(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addValuesFixture(t, d)
		putAttributeValues(t, d, "a", newAttributeValue(0, 2, 1, "5"), newAttributeValue(0, 1, 2, "M"))
		changed := newAttributeValue(0, 2, 1, "6")
		changed.DateCreated, changed.DateModified = t0.Add(time.Hour), t0.Add(time.Hour)
		putAttributeValues(t, d, "a", changed)
		want := newAttributeValue(2, 2, 1, "6")
		want.DateModified = t0.Add(time.Hour)
		wantAttributeValues(t, d, "a", cohort.AttributeValueFilter{}, newAttributeValue(1, 1, 2, "M"), want)
		update(t, d, func(tx *db.Tx) error {
			got, err := tx.AttributeValuesForUpdate("a", []int64{1, 2}, []int64{1})
			if diff := cmp.Diff([]cohort.AttributeValue{want}, got); diff != "" {
				t.Errorf("locked values (-want +got):\n%s", diff)
			}
			return err
		})
	})
}

func TestPutAttributeValueOfNoCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addValuesFixture(t, d)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			return tx.PutAttributeValues("a", []cohort.AttributeValue{newAttributeValue(0, 99, 1, "5")}, nil)
		})
		wantKind(t, err, cohort.KindNotFound)
	})
}

func TestAttributeValuesOfCustomers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addValuesFixture(t, d)
		first, second, other := newAttributeValue(1, 1, 2, "L"), newAttributeValue(2, 1, 1, "30"), newAttributeValue(3, 2, 1, "40")
		putAttributeValues(t, d, "a", first, second, other)
		view(t, d, func(tx *db.Tx) error {
			for most, want := range map[int]map[int64][]cohort.AttributeValue{
				1:  {1: {first}, 2: {other}},
				10: {1: {first, second}, 2: {other}},
			} {
				got, err := tx.AttributeValuesOfCustomers("a", []int64{1, 2, 3}, most)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v, at most %d values (-want +got):\n%s", err, most, diff)
				}
			}
			counts, err := tx.AttributeCounts("a", []int64{1, 2, 3})
			if diff := cmp.Diff(map[int64]int64{1: 2, 2: 1}, counts); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			return err
		})
	})
}

func TestDeleteAttributeValues(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addValuesFixture(t, d)
		kept := newAttributeValue(2, 1, 2, "L")
		putAttributeValues(t, d, "a", newAttributeValue(1, 1, 1, "30"), kept, newAttributeValue(3, 2, 1, "40"))
		update(t, d, func(tx *db.Tx) error { return tx.DeleteAttributeValues("a", []int64{3, 99, 1}) })
		wantAttributeValues(t, d, "a", cohort.AttributeValueFilter{}, kept)
	})
}

// TestDeletedCustomerHasNoData checks that attribute values, form fields and consent are
// deleted with their customer.
func TestDeletedCustomerHasNoData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addValuesFixture(t, d)
		addAddresses(t, d, "a", newAddress(1, 1), newAddress(2, 2))
		kept := newAttributeValue(2, 2, 1, "40")
		putAttributeValues(t, d, "a", newAttributeValue(1, 1, 1, "30"), kept)
		field := newFormField(3, 0, 2, "Gate", cohort.FormValue{Type: cohort.FormText, Text: "left"})
		putFormFields(t, d, "a", newFormField(1, 1, 0, "Color", field.Value), newFormField(2, 0, 1, "Gate", field.Value), field)
		update(t, d, func(tx *db.Tx) error {
			return tx.PutConsent("a", 1, cohort.Consent{Allow: []cohort.ConsentCategory{cohort.ConsentEssential}})
		})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteCustomer("a", newCustomer(1, 0)) })
		wantAttributeValues(t, d, "a", cohort.AttributeValueFilter{}, kept)
		wantFormFields(t, d, "a", cohort.FormFieldFilter{}, field)
		view(t, d, func(tx *db.Tx) error {
			c, err := tx.Consent("a", 1)
			if diff := cmp.Diff(cohort.Consent{}, c); diff != "" {
				t.Errorf("consent (-want +got):\n%s", diff)
			}
			return err
		})
	})
}
