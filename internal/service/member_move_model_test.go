package service_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// memberModel is the expected state of a store: the groups, and the group of each customer,
// whose ids count from 1.
type memberModel struct {
	svc     *service.Service
	store   string
	created int
	groups  map[int64]bool
	members map[int64]int64
}

// TestMovesAgainstModel runs random moves and deletions on a service and on a map, and
// compares the members of all groups, and their counts.
func TestMovesAgainstModel(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			m := &memberModel{svc: svc, store: fmt.Sprint("s", histories), groups: map[int64]bool{}, members: map[int64]int64{}}
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: m.store}); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				m.CreateGroup(t)
			}
			for id := range int64(8) {
				group := m.pick(t, "group")
				u := ada(email(id + 1))
				u.GroupID = &group
				if _, err := svc.CreateCustomer(context.Background(), m.store, u); err != nil {
					t.Fatal(err)
				}
				m.members[id+1] = group
			}
			t.Repeat(rapid.StateMachineActions(m))
		})
	})
}

func email(id int64) string { return fmt.Sprint(id, "@example.com") }

// pick draws a group, or 0.
func (m *memberModel) pick(t *rapid.T, label string) int64 {
	return rapid.SampledFrom(append([]int64{0}, slices.Sorted(maps.Keys(m.groups))...)).Draw(t, label)
}

func (m *memberModel) CreateGroup(t *rapid.T) {
	m.created++
	g, err := m.svc.CreateGroup(context.Background(), m.store, cohort.Group{Name: fmt.Sprint(m.created)})
	if err != nil {
		t.Fatal(err)
	}
	m.groups[g.ID] = true
}

func (m *memberModel) Clone(t *rapid.T) {
	m.created++
	name := fmt.Sprint(m.created)
	from := m.pick(t, "group")
	g, err := m.svc.CloneGroup(context.Background(), m.store, from, name, false)
	switch {
	case from == 0 && cohort.KindOf(err) == cohort.KindNotFound:
	case err != nil:
		t.Fatal(err)
	default:
		m.groups[g.ID] = true
	}
}

// Move moves customers that are selected in one of the ways. The expected number is right or
// wrong.
func (m *memberModel) Move(t *rapid.T) {
	move := service.MemberMove{
		GroupID:      m.pick(t, "to"),
		SkipUnknown:  rapid.Bool().Draw(t, "skip unknown"),
		Confirmation: service.Confirmation{DryRun: rapid.Bool().Draw(t, "dry run")},
	}
	var selected []int64
	unknown := map[int64]bool{}
	if rapid.Bool().Draw(t, "by filter") {
		groups := []int64{m.pick(t, "from"), m.pick(t, "or from")}
		move.Filter = &cohort.CustomerFilter{GroupIDs: groups, MaxID: rapid.Int64Range(1, 9).Draw(t, "up to")}
		for id, group := range m.members {
			if slices.Contains(groups, group) && id <= move.Filter.MaxID {
				selected = append(selected, id)
			}
		}
	} else {
		ids := rapid.SliceOfN(rapid.Int64Range(1, 10), 1, 8).Draw(t, "ids") // 9 and 10 are unknown
		for _, id := range ids {
			if _, known := m.members[id]; !known {
				unknown[id] = true
			} else if !slices.Contains(selected, id) {
				selected = append(selected, id)
			}
		}
		if move.IDs = ids; rapid.Bool().Draw(t, "by email") {
			move.IDs = nil
			for _, id := range ids {
				move.Emails = append(move.Emails, strings.ToUpper(email(id)))
			}
		}
	}
	moving := slices.DeleteFunc(selected, func(id int64) bool { return m.members[id] == move.GroupID })
	n := int64(len(moving))
	wrong := rapid.Int64Range(-1, 1).Draw(t, "wrong by")
	move.Expected = new(max(0, n+wrong))
	moved, err := m.svc.MoveMembers(context.Background(), m.store, move)
	switch kind := cohort.KindOf(err); {
	case !move.DryRun && !move.SkipUnknown && len(unknown) > 0:
		if err == nil || kind != cohort.KindInvalid {
			t.Fatalf("a move with unknown customers: %v", err)
		}
	case !move.DryRun && *move.Expected != n:
		if err == nil || kind != cohort.KindConflict {
			t.Fatalf("a move of %d that expects %d: %v", n, *move.Expected, err)
		}
	case err != nil || moved.Count != n || moved.Unknown != int64(len(unknown)):
		t.Fatalf("%+v, error %v, want %d moved and %d unknown", moved, err, n, len(unknown))
	case !move.DryRun:
		for _, id := range moving {
			m.members[id] = move.GroupID
		}
	}
}

// Delete deletes a group with one of the decisions about its members.
func (m *memberModel) Delete(t *rapid.T) {
	id := m.pick(t, "group")
	var n int64
	for _, group := range m.members {
		if group == id {
			n++
		}
	}
	deletion := service.GroupDeletion{Confirmation: service.Confirmation{DryRun: rapid.Bool().Draw(t, "dry run"), Expected: &n}}
	if rapid.Bool().Draw(t, "reassign") {
		to := m.pick(t, "to")
		deletion.ReassignTo = &to
	}
	members, err := m.svc.DeleteGroupSafely(context.Background(), m.store, id, deletion)
	switch kind := cohort.KindOf(err); {
	case deletion.ReassignTo != nil && *deletion.ReassignTo == id:
		if err == nil || kind != cohort.KindInvalid {
			t.Fatalf("a deletion that moves to the group itself: %v", err)
		}
	case id == 0:
		if err == nil || kind != cohort.KindNotFound {
			t.Fatalf("a deletion of group 0: %v", err)
		}
	case !deletion.DryRun && deletion.ReassignTo == nil && n > 0:
		if err == nil || kind != cohort.KindConflict {
			t.Fatalf("a deletion of a group with members: %v", err)
		}
	case err != nil || members.Count != n:
		t.Fatalf("%+v, error %v, want %d members", members, err, n)
	case !deletion.DryRun:
		delete(m.groups, id)
		for customer, group := range m.members {
			if group == id {
				m.members[customer] = *deletion.ReassignTo
			}
		}
	}
}

// Check compares the service with the model.
func (m *memberModel) Check(t *rapid.T) {
	want, counts := map[int64]int64{}, map[int64]int64{}
	for id := range m.groups {
		want[id] = 0
	}
	for _, group := range m.members {
		if group != 0 {
			want[group]++
		}
	}
	all := cohort.Page{Number: 1, Size: 1000}
	groups, err := m.svc.ListGroupMembers(context.Background(), m.store, cohort.GroupFilter{}, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		counts[g.ID] = g.Members
	}
	customers, err := m.svc.ListCustomers(context.Background(), m.store, cohort.CustomerFilter{}, all)
	if err != nil {
		t.Fatal(err)
	}
	members := map[int64]int64{}
	for _, c := range customers {
		members[c.ID] = c.GroupID
	}
	if diff := cmp.Diff(want, counts) + cmp.Diff(m.members, members); diff != "" {
		t.Fatalf("counts or members (-want +got):\n%s", diff)
	}
}
