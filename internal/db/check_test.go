package db_test

import (
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// flawsOf returns the flaws of a store as texts.
func flawsOf(t *testing.T, d *db.DB, store string) (texts []string) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		flaws, err := tx.StoreFlaws(store)
		for _, f := range flaws {
			texts = append(texts, string(f.Kind)+": "+f.Text)
		}
		return err
	})
	return texts
}

// breakRules writes what no request can write.
func breakRules(t *testing.T, d *db.DB) {
	t.Helper()
	addStores(t, d, "a", "b")
	addGroups(t, d, "a", newGroup(7, "seven"), newGroup(8, "eight"))
	addMembers(t, d, "a", 7, 100, 120)
	addMembers(t, d, "a", 8, 200, 203)
	addMembers(t, d, "b", 0, 1, 1)
	update(t, d, func(tx *db.Tx) error {
		for _, statement := range []string{
			"UPDATE member_counts SET members = members + 5 WHERE store_hash = 'a' AND group_id = 7 AND slot = 3",
			"DELETE FROM customer_groups WHERE store_hash = 'a' AND id = 8",
			"INSERT INTO price_list_assignments (store_hash, id, price_list_id, customer_group_id, channel_id) VALUES ('a', 4, 11, 0, 0)",
		} {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		for _, kind := range []string{"customer", "price_list_assignment"} {
			if _, err := tx.ReserveIDs("b", kind, 1000, 0); err != nil {
				return err
			}
		}
		_, err := tx.ReserveIDs("a", "customer", 1000, 0)
		return err
	})
}

func TestStoreFlaws(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		breakRules(t, d)
		want := []string{
			"counter: the last id of table customer_groups is 7, and the counter of new ones is at 0",
			"counter: the last id of table price_list_assignments is 4, and the counter of new ones is at 0",
			"membership: customers in group 8, which does not exist: 4",
			"member count: group 7 has 21 members, and 26 are counted",
			"member count: group 8 has 0 members, and 4 are counted",
			"assignment: assignment 4 of price list 11 to group 0, one of which does not exist",
		}
		if diff := cmp.Diff(want, flawsOf(t, d, "a")); diff != "" {
			t.Errorf("flaws (-want +got):\n%s", diff)
		}
		if got := flawsOf(t, d, "b"); got != nil {
			t.Errorf("flaws of another store: %q", got)
		}
	})
}

func TestRepairStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		breakRules(t, d)
		var repaired int
		update(t, d, func(tx *db.Tx) error {
			flaws, err := tx.RepairStore("a")
			repaired = len(flaws)
			return err
		})
		if repaired != 6 {
			t.Errorf("%d flaws are repaired, want 6", repaired)
		}
		if got := flawsOf(t, d, "a"); got != nil {
			t.Errorf("after the repair: %q", got)
		}
		update(t, d, func(tx *db.Tx) error {
			if id, err := tx.NextID("a", "customer_group"); id != 8 || err != nil {
				t.Errorf("the next id of a group is %d, %v, want 8", id, err)
			}
			c, err := tx.Customer("a", 200)
			if c.GroupID != 0 {
				t.Errorf("a member of the missing group is in group %d", c.GroupID)
			}
			return err
		})
		// Later changes of the repaired counts keep them right.
		update(t, d, func(tx *db.Tx) error {
			return changeCustomer(tx, "a", 100, func(c *cohort.Customer) { c.GroupID = 0 })
		})
		if got := flawsOf(t, d, "a"); got != nil {
			t.Errorf("after a member left: %q", got)
		}
	})
}

// TestNumberedTables checks that each counter of a full database is one whose rows are
// checked, or has a reason.
func TestNumberedTables(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		fillInstallation(t, d)
		unchecked := []string{"option", "option_value"} // see unusedIDs
		update(t, d, func(tx *db.Tx) error {
			last, err := tx.LastIDs("a")
			for kind := range last {
				if !slices.Contains(db.NumberedKinds(), kind) && !slices.Contains(unchecked, kind) {
					t.Errorf("the ids of a %s are not checked", kind)
				}
			}
			return err
		})
		update(t, d, func(tx *db.Tx) error { _, err := tx.RepairStore("a"); return err })
		if got := flawsOf(t, d, "a"); got != nil {
			t.Errorf("after a repair: %q", got)
		}
	})
}
