package service_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// Concurrent moves of the same customers, in any order of them, and deletions of the groups
// that they move to, neither deadlock nor lose a member.
func TestConcurrentMoves(t *testing.T) {
	eachWithoutDeadlocks(t, func(t *testing.T, s *fixture) {
		const customers = 24
		from := s.group(t, cohort.Group{})
		ids := fill(t, s.db, "a", from, customers)
		for range testenv.Times(12, 3) {
			to, other := s.group(t, cohort.Group{}), s.group(t, cohort.Group{})
			groups := []int64{to, other, 0}
			errs := together(8, func(i int) error {
				rng := rand.New(rand.NewPCG(uint64(i), 1)) //nolint:gosec // a test
				shuffled := slices.Clone(ids)
				rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				switch i {
				case 0, 1: // each to the group of the other
					return s.deleteReassigning(t, groups[i], groups[1-i])
				case 2:
					_, err := s.UpdateCustomer(t.Context(), "a", ids[3], cohort.CustomerUpdate{GroupID: &to})
					return err
				case 3:
					return s.moveNow(t, service.MemberMove{Filter: &cohort.CustomerFilter{GroupIDs: []int64{to, 0}}, GroupID: other})
				default:
					return s.moveNow(t, service.MemberMove{IDs: shuffled, GroupID: groups[i%3]})
				}
			})
			for i, err := range errs {
				if kind := cohort.KindOf(err); err != nil && kind != cohort.KindConflict && kind != cohort.KindInvalid && kind != cohort.KindNotFound {
					t.Errorf("caller %d: %v", i, err)
				}
			}
			s.wantConsistentMembers(t, customers)
			for _, id := range groups[:2] {
				if err := s.DeleteGroup(t.Context(), "a", id); err != nil && cohort.KindOf(err) != cohort.KindNotFound {
					t.Fatal(err)
				}
			}
			s.wantConsistentMembers(t, customers)
		}
	})
}

// moveNow moves customers with the count that a dry run shows.
func (s *fixture) moveNow(t testing.TB, m service.MemberMove) error {
	m.DryRun = true
	moved, err := s.MoveMembers(t.Context(), "a", m)
	if err != nil {
		return err
	}
	m.Confirmation = confirmed(moved.Count)
	_, err = s.MoveMembers(t.Context(), "a", m)
	return err
}

// deleteReassigning deletes a group with the count that a dry run shows.
func (s *fixture) deleteReassigning(t testing.TB, id, to int64) error {
	members, err := s.DeleteGroupSafely(t.Context(), "a", id, service.GroupDeletion{ReassignTo: &to, Confirmation: service.Confirmation{DryRun: true}})
	if err != nil {
		return err
	}
	_, err = s.DeleteGroupSafely(t.Context(), "a", id, service.GroupDeletion{ReassignTo: &to, Confirmation: confirmed(members.Count)})
	return err
}

// wantConsistentMembers fails unless the store has n customers, each of them in a group that
// exists or in none, and each counted once.
func (s *fixture) wantConsistentMembers(t testing.TB, n int) {
	t.Helper()
	groups, err := s.ListGroupMembers(t.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
	if err != nil {
		t.Fatal(err)
	}
	counted := map[int64]int64{}
	for _, g := range groups {
		counted[g.ID] = g.Members
	}
	customers := s.customers(t, cohort.CustomerFilter{})
	if len(customers) != n {
		t.Errorf("%d customers, want %d", len(customers), n)
	}
	for _, c := range customers {
		if _, exists := counted[c.GroupID]; !exists && c.GroupID != 0 {
			t.Errorf("customer %d is in group %d, which does not exist", c.ID, c.GroupID)
		}
		counted[c.GroupID]--
	}
	delete(counted, 0)
	for id, left := range counted {
		if left != 0 {
			t.Errorf("the count of group %d is wrong by %d", id, left)
		}
	}
}
