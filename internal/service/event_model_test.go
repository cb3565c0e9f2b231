package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestEventsRebuildTheStore runs random changes, and keeps a copy of the store up to date by
// its events alone. The copy must be equal to the store after each change, and each event must
// fit the copy: its values before are those of the copy. So each committed change has exactly
// one event, in the order of the commits, and a failed one has none.
func TestEventsRebuildTheStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			store := fmt.Sprint("s", histories)
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: store, Events: true}); err != nil {
				t.Fatal(err)
			}
			e := &eventModel{svc: svc, store: store, groups: map[int64]fields{}, customers: map[int64]fields{}}
			t.Repeat(rapid.StateMachineActions(e))
		})
	})
}

// fields are the values of a resource by name, as its events have them.
type fields map[string]any

// eventModel is the copy. Its exported methods are the actions of the state machine.
type eventModel struct {
	svc               *service.Service
	store             string
	last              int64
	groups, customers map[int64]fields
}

var (
	modelGroup    = rapid.Int64Range(0, 5)
	modelCustomer = rapid.Int64Range(1, 6)
	modelName     = rapid.SampledFrom([]string{"a", "A", "b", "c", "", "日"})
	modelFlag     = rapid.Bool()
)

func (e *eventModel) CreateGroup(t *rapid.T) {
	_, _ = e.svc.CreateGroup(context.Background(), e.store, cohort.Group{
		Name: modelName.Draw(t, "name"), IsDefault: modelFlag.Draw(t, "default"), IsGroupForGuests: modelFlag.Draw(t, "guests"),
	})
}

func (e *eventModel) UpdateGroup(t *rapid.T) {
	u := cohort.GroupUpdate{Name: new(modelName.Draw(t, "name"))}
	if modelFlag.Draw(t, "flags too") {
		u.IsDefault, u.IsGroupForGuests = new(modelFlag.Draw(t, "default")), new(modelFlag.Draw(t, "guests"))
	}
	_, _ = e.svc.UpdateGroup(context.Background(), e.store, modelGroup.Draw(t, "id"), u)
}

func (e *eventModel) DeleteGroup(t *rapid.T) {
	_ = e.svc.DeleteGroup(context.Background(), e.store, modelGroup.Draw(t, "id"))
}

func modelUpdate(t *rapid.T) cohort.CustomerUpdate {
	u := cohort.CustomerUpdate{
		FirstName: new("F"), LastName: new(modelName.Draw(t, "last name")), Email: new(modelName.Draw(t, "email") + "@example.com"),
	}
	if modelFlag.Draw(t, "in a group") {
		u.GroupID = new(modelGroup.Draw(t, "group"))
	}
	return u
}

func (e *eventModel) CreateCustomers(t *rapid.T) {
	items := make([]service.NewCustomer, rapid.IntRange(1, 2).Draw(t, "n"))
	for i := range items {
		items[i].CustomerUpdate = modelUpdate(t)
	}
	_, _ = e.svc.CreateCustomers(context.Background(), e.store, items)
}

func (e *eventModel) UpdateCustomers(t *rapid.T) {
	items := make([]service.CustomerChange, rapid.IntRange(1, 3).Draw(t, "n"))
	for i := range items {
		items[i] = service.CustomerChange{ID: modelCustomer.Draw(t, "id"), CustomerUpdate: modelUpdate(t)}
	}
	_, _ = e.svc.UpdateCustomers(context.Background(), e.store, items)
}

func (e *eventModel) DeleteCustomers(t *rapid.T) {
	ids := rapid.SliceOfNDistinct(rapid.Int64Range(1, 6), 1, 2, rapid.ID[int64]).Draw(t, "ids")
	_ = e.svc.DeleteCustomersByID(context.Background(), e.store, ids)
}

func (e *eventModel) MoveMembers(t *rapid.T) {
	move := service.MemberMove{
		IDs: rapid.SliceOfNDistinct(rapid.Int64Range(1, 6), 1, 3, rapid.ID[int64]).Draw(t, "ids"), GroupID: modelGroup.Draw(t, "to"), SkipUnknown: true,
	}
	move.DryRun = true
	moved, err := e.svc.MoveMembers(context.Background(), e.store, move)
	if err != nil {
		return
	}
	move.DryRun, move.Expected = false, &moved.Count
	_, _ = e.svc.MoveMembers(context.Background(), e.store, move)
}

func (e *eventModel) DeleteGroupSafely(t *rapid.T) {
	deletion := service.GroupDeletion{ReassignTo: new(modelGroup.Draw(t, "to"))}
	id := modelGroup.Draw(t, "id")
	deletion.DryRun = true
	members, err := e.svc.DeleteGroupSafely(context.Background(), e.store, id, deletion)
	if err != nil {
		return
	}
	deletion.DryRun, deletion.Expected = false, &members.Count
	_, _ = e.svc.DeleteGroupSafely(context.Background(), e.store, id, deletion)
}

// Check reads the new events and compares the copy with the store.
func (e *eventModel) Check(t *rapid.T) {
	for _, event := range allEventsOf(t, e.svc, e.store, e.last) {
		if event.Number <= e.last {
			t.Fatalf("event %d follows %d", event.Number, e.last)
		}
		e.last = event.Number
		if err := e.apply(event); err != nil {
			t.Fatalf("event %s: %v", told(event), err)
		}
	}
	page := cohort.Page{Number: 1, Size: 100}
	groups, err := e.svc.ListGroupMembers(context.Background(), e.store, cohort.GroupFilter{}, page)
	if err != nil {
		t.Fatal(err)
	}
	wantGroups, wantCustomers := map[int64]fields{}, map[int64]fields{}
	members := map[int64]int64{}
	for _, g := range groups {
		wantGroups[g.ID] = fields{"name": g.Name, "is_default": g.IsDefault, "is_group_for_guests": g.IsGroupForGuests}
		members[g.ID] = g.Members
	}
	customers, err := e.svc.ListCustomers(context.Background(), e.store, cohort.CustomerFilter{}, page)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range customers {
		wantCustomers[c.ID] = fields{"last_name": c.LastName, "email": c.Email, "customer_group_id": float64(c.GroupID)}
	}
	if diff := cmp.Diff([]any{wantGroups, wantCustomers}, []any{e.groups, e.customers}); diff != "" {
		t.Fatalf("the store and its copy by events (-store +copy):\n%s", diff)
	}
	for id, n := range members {
		if got := e.members(id); got != n {
			t.Fatalf("group %d has %d members, in the copy %d", id, n, got)
		}
	}
}

// members returns the number of customers in a group of the copy.
func (e *eventModel) members(group int64) (n int64) {
	for _, c := range e.customers {
		if c["customer_group_id"] == float64(group) {
			n++
		}
	}
	return n
}

// kept are the fields that the copy has.
var kept = []string{"name", "is_default", "is_group_for_guests", "last_name", "email", "customer_group_id"}

func (e *eventModel) apply(event cohort.Event) error {
	var changes map[string][]any
	if err := json.Unmarshal(event.Changes, &changes); err != nil {
		return err
	}
	switch event.Kind {
	case cohort.GroupCreated, cohort.GroupUpdated:
		return applyTo(e.groups, event.GroupID, event.Kind == cohort.GroupCreated, changes)
	case cohort.CustomerCreated, cohort.CustomerUpdated:
		return applyTo(e.customers, event.CustomerID, event.Kind == cohort.CustomerCreated, changes)
	case cohort.GroupDeleted:
		return e.deleteGroup(event.GroupID, changes)
	case cohort.CustomerDeleted:
		return remove(e.customers, event.CustomerID, changes)
	case cohort.MemberAdded, cohort.MemberRemoved:
		return e.checkMove(event)
	case cohort.StoreReplaced:
	}
	return fmt.Errorf("an unexpected kind")
}

// checkMove checks the event of a membership against that of the customer. That of a deletion
// follows, all others precede.
func (e *eventModel) checkMove(event cohort.Event) error {
	in := e.customers[event.CustomerID]["customer_group_id"] == float64(event.GroupID)
	if event.Kind == cohort.MemberAdded && !in {
		return fmt.Errorf("the customer is not in the group")
	}
	return nil
}

func (e *eventModel) deleteGroup(id int64, changes map[string][]any) error {
	n := changes["members"]
	delete(changes, "members")
	if len(n) != 2 || n[0] != float64(e.members(id)) || n[1] != nil {
		return fmt.Errorf("members %v, in the copy %d", n, e.members(id))
	}
	for _, c := range e.customers {
		if c["customer_group_id"] == float64(id) {
			c["customer_group_id"] = float64(0)
		}
	}
	return remove(e.groups, id, changes)
}

func applyTo(all map[int64]fields, id int64, isNew bool, changes map[string][]any) error {
	if _, exists := all[id]; exists == isNew {
		return fmt.Errorf("it exists in the copy: %v", exists)
	}
	if isNew {
		all[id] = fields{}
	}
	for name, values := range changes {
		if !slices.Contains(kept, name) {
			continue
		}
		if was := all[id][name]; len(values) != 2 || was != values[0] || values[0] == values[1] {
			return fmt.Errorf("%s changes by %v, but in the copy it is %v", name, values, was)
		}
		all[id][name] = values[1]
	}
	return nil
}

func remove(all map[int64]fields, id int64, changes map[string][]any) error {
	was, exists := all[id]
	if !exists {
		return fmt.Errorf("it does not exist in the copy")
	}
	for name := range maps.Keys(changes) {
		if slices.Contains(kept, name) && was[name] != changes[name][0] {
			return fmt.Errorf("%s was %v, but in the copy %v", name, changes[name][0], was[name])
		}
	}
	delete(all, id)
	return nil
}

// allEventsOf is allEvents for rapid.
func allEventsOf(t *rapid.T, svc *service.Service, store string, after int64) (all []cohort.Event) {
	for more := true; more; {
		page, err := svc.Events(context.Background(), store, cohort.EventFilter{After: after}, service.MaxEvents)
		if err != nil {
			t.Fatal(err)
		}
		all, after, more = append(all, page.Events...), page.Next, page.More
	}
	return all
}
