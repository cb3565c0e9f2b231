package service_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// valueBatch is the service's constant of the same name.
const valueBatch = 500

// fillValues gives n customers a value of each of the attributes.
func (s *fixture) fillValues(t testing.TB, n int, attributes ...int64) {
	t.Helper()
	for _, a := range attributes {
		err := s.db.Update(t.Context(), func(tx *db.Tx) error {
			var values []cohort.AttributeValue
			for range n {
				id, err := tx.NextID("a", "customer")
				if err != nil {
					return err
				}
				if err := tx.InsertCustomer("a", dbtest.NewCustomer(id, 0), ""); err != nil {
					return err
				}
				values = append(values, cohort.AttributeValue{CustomerID: id, AttributeID: a, Value: fmt.Sprint(id), DateCreated: t0, DateModified: t0})
			}
			return tx.PutAttributeValues("a", values, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// rows returns how many values of an attribute the database has, and whether it has the
// row of the attribute.
func (s *fixture) rows(t testing.TB, attribute int64) (values int64, has bool) {
	t.Helper()
	err := s.db.View(t.Context(), func(tx *db.Tx) error {
		if err := tx.QueryRow("SELECT count(*) FROM customer_attribute_values WHERE store_hash = 'a' AND attribute_id = $1", attribute).Scan(&values); err != nil {
			return err
		}
		var n int64
		err := tx.QueryRow("SELECT count(*) FROM customer_attributes WHERE store_hash = 'a' AND id = $1", attribute).Scan(&n)
		has = n > 0
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return values, has
}

// wantOnlyAttribute fails unless the store has this attribute alone, with n values, for
// every reader.
func (s *fixture) wantOnlyAttribute(t testing.TB, id int64, n int) {
	t.Helper()
	var attributes collected[cohort.Attribute]
	total, err := s.ReadAttributes(t.Context(), "a", cohort.AttributeFilter{}, cohort.Page{Number: 1, Size: 100}, &attributes)
	if err != nil || total != 1 || len(attributes) != 1 || attributes[0].ID != id {
		t.Errorf("attributes %v of %d, error %v, want only %d", attributes, total, err, id)
	}
	values := s.values(t, cohort.AttributeValueFilter{})
	for _, v := range values {
		if v.AttributeID != id {
			t.Errorf("value %v of a deleted attribute", v)
		}
	}
	if len(values) != n {
		t.Errorf("%d values, want %d", len(values), n)
	}
}

// A deleted attribute and its values are gone for readers at once. The sweep deletes the
// rows in batches, also after a restart, and no others.
func TestSweepAttributes(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		s := newFixture(t, dbtest.Open(t, url))
		ids := s.attributes(t, "kept", "gone", "empty")
		kept, gone, empty := ids[0], ids[1], ids[2]
		s.fillValues(t, 3, kept)
		s.fillValues(t, 2*valueBatch+1, gone)
		if more, err := s.SweepAttributes(t.Context()); more || err != nil {
			t.Errorf("before the deletion: more %v, error %v", more, err)
		}
		if err := s.DeleteAttributes(t.Context(), "a", []int64{gone, empty}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-s.AttributesDeleted():
		default:
			t.Error("the deletion has sent no signal")
		}
		if n, has := s.rows(t, gone); n != 2*valueBatch+1 || !has {
			t.Errorf("the deletion has left %d values, the attribute %v, want all", n, has)
		}
		before := int64(2*valueBatch + 1)
		for sweep := 0; ; sweep++ {
			s.wantOnlyAttribute(t, kept, 3)
			more, err := s.SweepAttributes(t.Context())
			if err != nil || sweep > 10 {
				t.Fatalf("sweep %d: error %v", sweep, err)
			}
			left, _ := s.rows(t, gone)
			if before-left > valueBatch {
				t.Errorf("sweep %d has deleted %d rows, want at most %d", sweep, before-left, valueBatch)
			}
			if before = left; !more {
				break
			}
			if err := s.db.Close(); err != nil {
				t.Fatal(err)
			}
			d := dbtest.Open(t, url)
			s = &fixture{Service: newService(t, d, nil), db: d}
		}
		for _, id := range []int64{gone, empty} {
			if n, has := s.rows(t, id); n != 0 || has {
				t.Errorf("%d values of attribute %d are left, and its row %v", n, id, has)
			}
		}
		s.wantOnlyAttribute(t, kept, 3)
		if id := s.attributes(t, "gone")[0]; id <= empty {
			t.Errorf("a new attribute has the id %d of a deleted one", id)
		}
	})
}

// Several nodes sweep at the same time.
func TestConcurrentSweepsOfAttributes(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		ids := s.attributes(t, "kept", "x", "y", "z")
		s.fillValues(t, 3, ids[0])
		s.fillValues(t, valueBatch+1, ids[1:]...)
		if err := s.DeleteAttributes(t.Context(), "a", ids[1:]); err != nil {
			t.Fatal(err)
		}
		for _, err := range together(4, func(int) error {
			for {
				if more, err := s.SweepAttributes(t.Context()); err != nil || !more {
					return err
				}
			}
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		for _, id := range ids[1:] {
			if n, has := s.rows(t, id); n != 0 || has {
				t.Errorf("%d values of attribute %d are left, and its row %v", n, id, has)
			}
		}
		s.wantOnlyAttribute(t, ids[0], 3)
	})
}
