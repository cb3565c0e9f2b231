package db_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// TestStatementsOfMoves checks that a move takes one statement for each customer, and else a
// number that does not depend on how many there are.
func TestStatementsOfMoves(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		addStores(t, d, "a")
		var groups []int64
		for _, name := range []string{"from", "to"} {
			g, err := svc.CreateGroup(t.Context(), "a", cohort.Group{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			groups = append(groups, g.ID)
		}
		for id := range int64(53) {
			addCustomers(t, d, "a", newCustomer(id+1, groups[0]))
		}
		statements := d.CountQueries()
		count := func(do func() error) int {
			before := statements()
			if err := do(); err != nil {
				t.Fatal(err)
			}
			return statements() - before
		}
		move := func(ids []int64) int {
			n := int64(len(ids))
			return count(func() error {
				_, err := svc.MoveMembers(t.Context(), "a", service.MemberMove{
					IDs: ids, GroupID: groups[1], Confirmation: service.Confirmation{Expected: &n},
				})
				return err
			})
		}
		ids := make([]int64, 53) // so few that their events need no query of their own
		for i := range ids {
			ids[i] = int64(i + 1)
		}
		few, many := move(ids[:20])-20, move(ids[20:])-33
		if few != many || many > 6 {
			t.Errorf("besides those of the customers, %d statements for 20 and %d for 33; want as many, at most 6", few, many)
		}
		n := int64(len(ids))
		deletion := service.GroupDeletion{ReassignTo: &groups[0], Confirmation: service.Confirmation{Expected: &n}}
		if got := count(func() error {
			_, err := svc.DeleteGroupSafely(t.Context(), "a", groups[1], deletion)
			return err
		}) - len(ids); got > 15 { // two of them look whether the store records events
			t.Errorf("besides those of the members, %d statements for a deletion, want at most 15", got)
		}
	})
}
