package db

import (
	"encoding/json"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

// TestUndoAssignments checks that the assignments of a group are those before their events,
// and that a value that is not kept is unknown until an earlier event has it.
func TestUndoAssignments(t *testing.T) {
	p := &pastGroup{exists: true, values: map[string]json.RawMessage{}, assignments: map[int64]cohort.PriceListAssignment{
		1: {ID: 1, PriceListID: 5, GroupID: 3}, 2: {ID: 2, PriceListID: 6, GroupID: 3, ChannelID: 1},
	}}
	for _, value := range []string{"name", "category_access", "discount_rules", "is_default", "is_group_for_guests"} {
		p.values[value] = nil
	}
	for _, e := range []cohort.Event{ // the last one first
		{Kind: cohort.AssignmentCreated, EventIDs: cohort.EventIDs{AssignmentID: 2}, Changes: json.RawMessage(`{"price_list_id":[null,6]}`)},
		{Kind: cohort.GroupUpdated, Changes: json.RawMessage(`{"discount_rules":null,"name":["Gold","VIP"],"category_access":[{"type":"all"},{"type":"none"}]}`)},
		{Kind: cohort.AssignmentUpdated, EventIDs: cohort.EventIDs{AssignmentID: 1}, Changes: json.RawMessage(`{"price_list_id":[4,5]}`)},
		{Kind: cohort.AssignmentDeleted, EventIDs: cohort.EventIDs{AssignmentID: 7, GroupID: 3, PriceListID: 8, ChannelID: 2}, Changes: json.RawMessage(`{"price_list_id":[8,null],"channel_id":[2,null]}`)},
		{Kind: cohort.GroupUpdated, Changes: json.RawMessage(`{"is_default":[true,false],"is_group_for_guests":[false,true]}`)},
	} {
		if err := p.undo(e); err != nil {
			t.Fatal(err)
		}
	}
	var got cohort.GroupAsOf
	if err := p.into(3, &got); err != nil {
		t.Fatal(err)
	}
	want := cohort.GroupAsOf{
		Group:       cohort.Group{ID: 3, Name: "Gold", CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}, IsDefault: true},
		Assignments: []cohort.PriceListAssignment{{ID: 1, PriceListID: 4, GroupID: 3}, {ID: 7, PriceListID: 8, GroupID: 3, ChannelID: 2}},
		Unknown:     []string{"discount_rules"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the group (-want +got):\n%s", diff)
	}
}
