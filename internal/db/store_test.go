package db_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

func TestStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		wantStores(t, d)
		b := cohort.Store{Hash: "b", Plan: cohort.PlanPro, Quota: cohort.MaxQuota, Concurrency: cohort.MaxConcurrency, DateCreated: t0}
		a := cohort.Store{Hash: "a", Plan: cohort.PlanUnlimited, DateCreated: t0}
		for _, s := range []cohort.Store{b, a} {
			update(t, d, func(tx *db.Tx) error { return tx.InsertStore(s) })
		}
		wantStores(t, d, a, b)
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertStore(a) }), cohort.KindConflict)

		changed := cohort.Store{Hash: "b", Plan: cohort.PlanEnterprise, Quota: 7, Concurrency: 3, DateCreated: t0.AddDate(1, 0, 0)}
		update(t, d, func(tx *db.Tx) error { return tx.UpdateStore(changed) })
		changed.DateCreated = t0 // stays
		wantStores(t, d, a, changed)

		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantStores(t, d, changed)
	})
}

func TestStoreThatDoesNotExist(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		for name, fn := range map[string]func(tx *db.Tx) error{
			"get":    func(tx *db.Tx) error { _, err := tx.Store("A"); return err },
			"update": func(tx *db.Tx) error { return tx.UpdateStore(cohort.Store{Hash: "A"}) },
			"delete": func(tx *db.Tx) error { return tx.DeleteStore("A") },
		} {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// Hashes are sorted by byte on every engine, not by the rules of a language.
func TestListStoresSortsByByte(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		sorted := []string{"", "-", "-a", "0", "10", "2", "Z", "_", "a", "a-b", "a0", "a_", "aa", "b", "é"}
		addStores(t, d, "a_", "é", "b", "aa", "a-b", "a0", "a", "_", "Z", "2", "10", "0", "-a", "-", "")
		var got []string
		view(t, d, func(tx *db.Tx) error {
			stores, err := tx.ListStores()
			for _, s := range stores {
				got = append(got, s.Hash)
			}
			return err
		})
		if diff := cmp.Diff(sorted, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// What remains of a deleted store must not come back with a new one that has
// its hash: neither groups, nor tokens, nor the count of ids.
func TestDeleteStoreTakesEverythingWithIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			update(t, d, func(tx *db.Tx) error { return addNext(tx, store, "x") })
			update(t, d, func(tx *db.Tx) error { return tx.InsertToken(tokenOf(store, "secret of "+store)) })
		}
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantTokens(t, d, "", tokenOf("b", "secret of b"))

		addStores(t, d, "a")
		wantGroups(t, d, "a")
		wantTokens(t, d, "a")
		update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", "new") })
		wantGroups(t, d, "a", newGroup(1, "new"))
		wantGroups(t, d, "b", newGroup(1, "x"))
	})
}
