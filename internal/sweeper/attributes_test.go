package sweeper_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

// deleteAttribute creates an attribute with a number of values and deletes it through a
// service: the fixture's, or that of another node.
func (f *fixture) deleteAttribute(t *testing.T, svc *service.Service, values int) {
	t.Helper()
	f.left++
	created, err := svc.CreateAttributes(t.Context(), "a", []cohort.Attribute{{Name: fmt.Sprint("attribute ", f.left), Type: cohort.AttributeString}})
	if err != nil {
		t.Fatal(err)
	}
	err = f.db.Update(t.Context(), func(tx *db.Tx) error {
		var list []cohort.AttributeValue
		for range values {
			id, err := tx.NextID("a", "customer")
			if err != nil {
				return err
			}
			if err := tx.InsertCustomer("a", cohort.Customer{ID: id, Email: fmt.Sprint(id)}, ""); err != nil {
				return err
			}
			list = append(list, cohort.AttributeValue{CustomerID: id, AttributeID: created[0].ID})
		}
		return tx.PutAttributeValues("a", list, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := svc.DeleteAttributes(t.Context(), "a", []int64{created[0].ID}); err != nil {
		t.Fatal(err)
	}
}

// wantValues fails unless the database has values of deleted attributes, or none.
func (f *fixture) wantValues(t *testing.T, want bool) {
	t.Helper()
	synctest.Wait()
	var values, attributes int64
	err := f.db.View(t.Context(), func(tx *db.Tx) error {
		if err := tx.QueryRow("SELECT count(*) FROM customer_attribute_values WHERE store_hash = 'a'").Scan(&values); err != nil {
			return err
		}
		return tx.QueryRow("SELECT count(*) FROM customer_attributes WHERE store_hash = 'a'").Scan(&attributes)
	})
	if (values > 0) != want || (attributes > 0) != want || err != nil {
		t.Errorf("%d values of %d attributes are left, error %v, want some: %v", values, attributes, err, want)
	}
}

// The sweeper deletes the values of attributes that another node deleted before it
// stopped.
func TestRunSweepsAttributesThatItFinds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		another := service.New(f.db)
		f.deleteAttribute(t, another, many)
		f.deleteAttribute(t, another, some)
		f.wantValues(t, true)
		f.run(t)
		f.wantValues(t, false)
		f.wantNoLog(t)
	})
}

func TestRunSweepsAfterADeletionOfAttributes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		start := time.Now()
		for _, values := range []int{many, some, 0} {
			f.deleteAttribute(t, f.svc, values)
			f.wantValues(t, false)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("it waited for %v", waited)
		}
	})
}

// Another node does not signal this one.
func TestRunLooksForDeletedAttributesAgain(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.run(t)
		for range 2 {
			f.deleteAttribute(t, service.New(f.db), some)
			f.wantValues(t, true)
			time.Sleep(time.Minute)
			f.wantValues(t, false)
		}
	})
}
