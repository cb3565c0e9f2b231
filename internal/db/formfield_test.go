package db_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func newFormField(id, customerID, addressID int64, name string, v cohort.FormValue) cohort.FormField {
	return cohort.FormField{ID: id, CustomerID: customerID, AddressID: addressID, Name: name, Value: v}
}

func putFormFields(t testing.TB, d *db.DB, store string, fields ...cohort.FormField) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error { return tx.PutFormFields(store, fields) })
}

// wantFormFields fails unless exactly these fields pass the filter, in the list and by
// the count.
func wantFormFields(t testing.TB, d *db.DB, store string, f cohort.FormFieldFilter, want ...cohort.FormField) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		var got []cohort.FormField
		err := tx.ReadFormFields(store, f, onePage, func(f cohort.FormField) bool {
			got = append(got, f)
			return true
		})
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("form fields of %s (-want +got):\n%s", store, diff)
		}
		return err
	})
	view(t, d, func(tx *db.Tx) error {
		n, err := tx.CountFormFields(store, f)
		if n != int64(len(want)) {
			t.Errorf("%d form fields by the count, want %d", n, len(want))
		}
		return err
	})
}

func TestFormFields(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", newCustomer(1, 0), newCustomer(2, 0))
		addAddresses(t, d, "a", newAddress(1, 1))
		text := newFormField(1, 1, 0, "Söhne $1 ?", cohort.FormValue{Type: cohort.FormText, Text: `"quoted" [`})
		number := newFormField(2, 2, 0, "Shoe size", cohort.FormValue{Type: cohort.FormNumbers, Text: "12.345"})
		list := newFormField(3, 0, 1, "Toppings", cohort.FormValue{Type: cohort.FormCheckboxes, List: []string{"red, green", "", strings.Repeat("🛒", 9)}})
		none := newFormField(4, 0, 1, "Shoe size", cohort.FormValue{Type: cohort.FormCheckboxes})
		putFormFields(t, d, "a", none, list, number, text)
		wantFormFields(t, d, "a", cohort.FormFieldFilter{}, text, number, list, none)
		wantFormFields(t, d, "b", cohort.FormFieldFilter{})
		name := "Shoe size"
		wantFormFields(t, d, "a", cohort.FormFieldFilter{Name: &name}, number, none)
		wantFormFields(t, d, "a", cohort.FormFieldFilter{CustomerID: 1}, text)
		wantFormFields(t, d, "a", cohort.FormFieldFilter{AddressID: 1}, list, none)
		wantFormFields(t, d, "a", cohort.FormFieldFilter{Type: cohort.FormCheckboxes}, list, none)
		wantFormFields(t, d, "a", cohort.FormFieldFilter{CustomerID: 1, AddressID: 1})
		view(t, d, func(tx *db.Tx) error {
			of, err := tx.FormFieldsOfCustomers("a", []int64{1, 2, 3})
			if diff := cmp.Diff(map[int64][]cohort.FormField{1: {text}, 2: {number}}, of); err != nil || diff != "" {
				t.Errorf("%v, fields of customers (-want +got):\n%s", err, diff)
			}
			of, err = tx.FormFieldsOfAddresses("a", []int64{1})
			if diff := cmp.Diff(map[int64][]cohort.FormField{1: {list, none}}, of, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("fields of addresses (-want +got):\n%s", diff)
			}
			return err
		})
	})
}

func TestPutFormFieldsOverwrites(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0))
		addAddresses(t, d, "a", newAddress(1, 1))
		text := cohort.FormValue{Type: cohort.FormText, Text: "x"}
		putFormFields(t, d, "a", newFormField(0, 1, 0, "b", text), newFormField(0, 1, 0, "a", text), newFormField(0, 0, 1, "a", text))
		number := cohort.FormValue{Type: cohort.FormNumbers, Text: "7"}
		putFormFields(t, d, "a", newFormField(0, 0, 1, "a", number), newFormField(0, 1, 0, "a", number))
		// The ids follow the order of the request.
		wantFormFields(t, d, "a", cohort.FormFieldFilter{},
			newFormField(1, 1, 0, "b", text), newFormField(2, 1, 0, "a", number), newFormField(3, 0, 1, "a", number))
	})
}

func TestPutFormFieldsOfNoOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		text := cohort.FormValue{Type: cohort.FormText}
		for _, f := range []cohort.FormField{newFormField(0, 9, 0, "a", text), newFormField(0, 0, 9, "a", text)} {
			err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.PutFormFields("a", []cohort.FormField{f}) })
			wantKind(t, err, cohort.KindNotFound)
		}
	})
}

func TestConsent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", newCustomer(1, 0))
		for _, want := range []cohort.Consent{
			{Allow: []cohort.ConsentCategory{cohort.ConsentTargeting, cohort.ConsentEssential}},
			{Deny: []cohort.ConsentCategory{cohort.ConsentAnalytics}},
			{},
		} {
			update(t, d, func(tx *db.Tx) error { return tx.PutConsent("a", 1, want) })
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.Consent("a", 1)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("consent (-want +got):\n%s", diff)
				}
				return err
			})
		}
	})
}
