package db_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// fullMetafield returns a metafield of a customer in which every field is set.
func fullMetafield(customer int64) cohort.Metafield {
	return cohort.Metafield{
		CustomerID: customer, Owner: "token", Namespace: "ñ", Key: "k", Value: "it's", Description: "d",
		PermissionSet: cohort.AppOnly, DateCreated: t0, DateModified: t0,
	}
}

// TestMetafieldsGoWithTheirCustomer checks that metafields are stored whole, that their
// keys are unique, and that they go with their customer and no other.
func TestMetafieldsGoWithTheirCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			addMembers(t, d, store, 0, 1, 2)
			update(t, d, func(tx *db.Tx) error {
				_, err := tx.CreateMetafields(store, []cohort.Metafield{fullMetafield(1), fullMetafield(2)})
				return err
			})
		}
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.CreateMetafields("a", []cohort.Metafield{fullMetafield(2)})
			return err
		}), cohort.KindConflict)
		view(t, d, func(tx *db.Tx) error {
			want := fullMetafield(1)
			want.ID = 1
			got, err := tx.Metafield("a", 1, 1)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error { return tx.DeleteCustomer("a", newCustomer(1, 0)) })
		view(t, d, func(tx *db.Tx) error {
			for store, want := range map[string]int64{"a": 1, "b": 2} {
				n, err := tx.CountMetafields(store, "token", cohort.MetafieldFilter{})
				if n != want || err != nil {
					t.Errorf("store %s: %d metafields, %v", store, n, err)
				}
				n, err = tx.CountMetafields(store, "other", cohort.MetafieldFilter{})
				if n != 0 || err != nil {
					t.Errorf("store %s: another token sees %d, %v", store, n, err)
				}
			}
			return nil
		})
	})
}
