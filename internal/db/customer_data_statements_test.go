package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// TestStatementsOfCustomerData checks that the number of statements of a batch of
// attributes, their values, form fields or addresses does not depend on its size.
func TestStatementsOfCustomerData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		addStores(t, d, "a")
		for id := range int64(10) {
			addCustomers(t, d, "a", newCustomer(id+1, 0))
			createAddresses(t, d, "a", newAddress(0, id+1))
		}
		ctx := withoutEvents(t, svc, "a")
		text := cohort.FormValue{Type: cohort.FormText, Text: "x"}
		made := 0
		attributes := func(n int) []cohort.Attribute {
			return slices.Repeat([]cohort.Attribute{{Name: "x", Type: cohort.AttributeString}}, n)
		}
		if _, err := svc.CreateAttributes(ctx, "a", attributes(10)); err != nil {
			t.Fatal(err)
		}
		// The first ids of a store take one more statement.
		putAttributeValues(t, d, "a", newAttributeValue(0, 10, 10, "x"))
		putFormFields(t, d, "a", newFormField(0, 10, 0, "x", text))
		addressItems := func(n int) []service.AddressItem {
			items := make([]service.AddressItem, n)
			for i := range items {
				made++
				items[i] = newBatchCustomer(0).Addresses[0]
				items[i].CustomerID, items[i].Street1 = int64(i+1), new(fmt.Sprint(made))
				items[i].FormFields = []cohort.FormField{{Name: "x", Value: text}}
			}
			return items
		}
		putValues := func(n int) error {
			values := make([]cohort.AttributeValue, n)
			for i := range values {
				values[i] = cohort.AttributeValue{CustomerID: int64(i + 1), AttributeID: int64(10 - i), Value: "x"}
			}
			_, err := svc.PutAttributeValues(ctx, "a", values)
			return err
		}
		operations := []struct {
			name string
			most int
			do   func(n int) error
		}{
			{"create attributes", 4, func(n int) error { _, err := svc.CreateAttributes(ctx, "a", attributes(n)); return err }},
			{"update attributes", 2, func(n int) error {
				us := make([]cohort.AttributeUpdate, n)
				for i := range us {
					us[i] = cohort.AttributeUpdate{ID: int64(i + 1), Name: new("y")}
				}
				_, err := svc.UpdateAttributes(ctx, "a", us)
				return err
			}},
			{"set new values", 6, putValues},
			{"set values", 5, putValues},
			{"delete values", 2, func(n int) error {
				ids := make([]int64, n)
				for i := range ids {
					ids[i] = int64(i + 1)
				}
				return svc.DeleteAttributeValues(ctx, "a", ids)
			}},
			{"set form fields", 8, func(n int) error {
				made++
				fields := make([]cohort.FormField, 0, 2*n)
				for i := range int64(n) {
					name := strings.Repeat("x", made)
					fields = append(fields, cohort.FormField{CustomerID: i + 1, Name: name, Value: text}, cohort.FormField{AddressID: i + 1, Name: name, Value: text})
				}
				return svc.PutFormFields(ctx, "a", fields)
			}},
			{"create addresses", 6, func(n int) error { _, err := svc.CreateAddresses(ctx, "a", addressItems(n)); return err }},
			{"update addresses", 7, func(n int) error {
				items := addressItems(n)
				for i := range items {
					items[i].ID = int64(i + 1)
				}
				_, err := svc.UpdateAddresses(ctx, "a", items)
				return err
			}},
			{"delete attributes", 2, func(n int) error {
				ids := make([]int64, n)
				for i := range ids {
					ids[i] = int64(10 - i)
				}
				return svc.DeleteAttributes(ctx, "a", ids)
			}},
			{"delete addresses", 3, func(n int) error {
				ids := make([]int64, n)
				for i := range ids {
					ids[i] = int64(i + 1)
				}
				return svc.DeleteAddressesByID(ctx, "a", ids)
			}},
		}
		statements := d.CountQueries()
		for _, o := range operations {
			var counts []int
			for _, n := range []int{1, 5, 10} {
				before := statements()
				if err := o.do(n); err != nil {
					t.Fatalf("%s: %v", o.name, err)
				}
				counts = append(counts, statements()-before)
			}
			if counts[0] != counts[1] || counts[1] != counts[2] || counts[2] > o.most {
				t.Errorf("%s: %d statements for 1, 5 and 10, want as many, at most %d", o.name, counts, o.most)
			}
		}
	})
}

// withoutEvents returns a context for requests in a store that records no events: for them,
// events cost nothing.
func withoutEvents(t *testing.T, svc *service.Service, store string) context.Context {
	t.Helper()
	token, _, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: store, Scopes: cohort.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	return service.ForRequest(t.Context(), service.Bearer{Token: token, Store: cohort.Store{Hash: store, Key: store}}, "")
}
