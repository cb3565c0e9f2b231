package service_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// confirmed confirms that an operation is about n members.
func confirmed(n int64) service.Confirmation { return service.Confirmation{Expected: &n} }

// wantMoved fails unless a move succeeds and is about n customers.
func (s *fixture) wantMoved(t testing.TB, n int64, m service.MemberMove) service.MovedMembers {
	t.Helper()
	moved, err := s.MoveMembers(t.Context(), "a", m)
	if err != nil || moved.Count != n || len(moved.Sample) != int(min(n, service.MaxBulkSample)) {
		t.Errorf("%+v: %+v, error %v; want %d customers", m, moved, err, n)
	}
	return moved
}

// A move sets the modification date as an update does: it never goes back. A customer who
// is in the group already keeps everything.
func TestMoveMembersSetsDates(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		group := s.group(t, cohort.Group{})
		member, other := ada("member@example.com"), ada("other@example.com")
		member.GroupID = &group
		first, second := s.create(t, member), s.create(t, other)
		now := s.later(time.Hour)
		late := s.create(t, ada("late@example.com"))
		s.clock.Set(now.Add(-time.Minute))
		s.wantMoved(t, 2, service.MemberMove{IDs: []int64{late.ID, first.ID, second.ID}, GroupID: group, Confirmation: confirmed(2)})
		second.GroupID, second.DateModified = group, now.Add(-time.Minute).UTC().Truncate(time.Millisecond)
		late.GroupID = group
		s.wantCustomers(t, first, second, late)
	})
}

// The members of a deleted group whose rows still name it are in no group, for moves too.
func TestMoveMembersOfDeletedGroup(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		const left = 4 // not updated by the deletion
		old, group := s.group(t, cohort.Group{}), s.group(t, cohort.Group{})
		ids := fill(t, s.db, "a", old, memberBatch+left)
		if err := s.DeleteGroup(t.Context(), "a", old); err != nil {
			t.Fatal(err)
		}
		last := ids[memberBatch:]
		s.wantMoved(t, 0, service.MemberMove{IDs: last, Confirmation: confirmed(0)})
		s.wantMoved(t, 0, service.MemberMove{Filter: &cohort.CustomerFilter{IDs: last}, Confirmation: confirmed(0)})
		s.wantMoved(t, 0, service.MemberMove{Filter: &cohort.CustomerFilter{GroupIDs: []int64{old}}, GroupID: group, Confirmation: confirmed(0)})
		moved := s.wantMoved(t, 2, service.MemberMove{Filter: &cohort.CustomerFilter{IDs: last[:2], GroupIDs: []int64{0}}, GroupID: group, Confirmation: confirmed(2)})
		if moved.Sample[0].GroupID != 0 {
			t.Errorf("the sample has %+v", moved.Sample[0])
		}
		s.wantMembers(t, map[int64]int64{group: 2}, memberBatch+left-2)
		for s.sweepOne(t) {
			continue
		}
		s.wantMembers(t, map[int64]int64{group: 2}, memberBatch+left-2)
	})
}

// Members of many groups, and so of more counts than one statement changes.
func TestMoveMembersOfManyGroups(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		const groups, members = 20, 16
		want := map[int64]int64{}
		var ids []int64
		for range groups {
			id := s.group(t, cohort.Group{})
			ids = append(ids, fill(t, s.db, "a", id, members)...)
			want[id] = 0
		}
		group := s.group(t, cohort.Group{})
		want[group] = groups * members
		s.wantMoved(t, groups*members, service.MemberMove{IDs: ids, GroupID: group, Confirmation: confirmed(groups * members)})
		s.wantMembers(t, want, 0)
	})
}

// Customers of another store have the same ids, emails and groups. They stay where they are.
func TestBulkWorkKeepsStoresApart(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		from, to := s.group(t, cohort.Group{}), s.group(t, cohort.Group{})
		for _, store := range []string{"a", "b"} {
			fill(t, s.db, store, from, 3)
		}
		s.wantMoved(t, 1, service.MemberMove{IDs: []int64{1}, GroupID: to, Confirmation: confirmed(1)})
		s.wantMoved(t, 1, service.MemberMove{Emails: []string{"2@filled.example"}, GroupID: to, Confirmation: confirmed(1)})
		s.wantMoved(t, 1, service.MemberMove{Filter: &cohort.CustomerFilter{GroupIDs: []int64{from}}, GroupID: to, Confirmation: confirmed(1)})
		if _, err := s.DeleteGroupSafely(t.Context(), "a", from, service.GroupDeletion{}); err != nil {
			t.Fatal(err)
		}
		others, err := s.ListCustomers(t.Context(), "b", cohort.CustomerFilter{GroupID: &from}, cohort.Page{Number: 1, Size: 10})
		if err != nil || len(others) != 3 {
			t.Errorf("the other store has %d members left, error %v", len(others), err)
		}
	})
}

// The lists of a move have a maximum.
func TestMoveMembersRefusesTooMany(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		const many = service.MaxBulkMembers + 1
		for field, m := range map[string]service.MemberMove{
			"customer_ids": {IDs: make([]int64, many)}, "emails": {Emails: make([]string, many)},
		} {
			m.Confirmation = confirmed(many)
			_, err := s.MoveMembers(t.Context(), "a", m)
			wantError(t, err, "invalid: "+field+": A request moves at most 10000 customers. Split it into several.")
		}
	})
}

// So has a filter, and a deletion that moves the members. Without a new group a deletion has
// none.
func TestBulkWorkRefusesTooManyMembers(t *testing.T) {
	testenv.Long(t, "it writes 10 001 customers")
	eachEngine(t, func(t *testing.T, s *fixture) {
		const many = service.MaxBulkMembers + 1
		from, to := s.group(t, cohort.Group{}), s.group(t, cohort.Group{})
		fill(t, s.db, "a", from, many)
		for _, c := range []service.Confirmation{confirmed(many), {DryRun: true}} {
			_, err := s.MoveMembers(t.Context(), "a", service.MemberMove{Filter: &cohort.CustomerFilter{GroupIDs: []int64{from}}, GroupID: to, Confirmation: c})
			wantKind(t, err, cohort.KindInvalid)
			_, err = s.DeleteGroupSafely(t.Context(), "a", from, service.GroupDeletion{ReassignTo: &to, Confirmation: c})
			wantKind(t, err, cohort.KindInvalid)
		}
		s.wantMembers(t, map[int64]int64{from: many, to: 0}, 0)
		s.wantMoved(t, 1, service.MemberMove{IDs: []int64{1}, GroupID: to, Confirmation: confirmed(1)})
		if _, err := s.DeleteGroupSafely(t.Context(), "a", from, service.GroupDeletion{ReassignTo: &to, Confirmation: confirmed(many - 1)}); err != nil {
			t.Fatal(err)
		}
		s.wantMembers(t, map[int64]int64{to: many}, 0)
		if _, err := s.DeleteGroupSafely(t.Context(), "a", to, service.GroupDeletion{ReassignTo: new(int64(0)), Confirmation: confirmed(many)}); err != nil {
			t.Fatal(err)
		}
		s.wantMembers(t, map[int64]int64{}, many)
		if !s.signalled() {
			t.Error("no signal for the sweep")
		}
	})
}
