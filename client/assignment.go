package client

import (
	"context"
	"iter"
	"net/http"
)

// maxAssignmentsInCall is how many assignments one request creates.
const maxAssignmentsInCall = 25

// Assignment says to whom a price list applies: a group, a channel, or a group in a channel.
type Assignment struct {
	ID          int64 `json:"id"`
	PriceListID int64 `json:"price_list_id"`
	// GroupID and ChannelID are 0 for every shopper and every channel.
	GroupID   int64 `json:"customer_group_id"`
	ChannelID int64 `json:"channel_id"`
}

// AssignmentCreate is a new assignment. It needs a group, a channel or both.
type AssignmentCreate struct {
	PriceListID int64 `json:"price_list_id"`
	GroupID     int64 `json:"customer_group_id,omitempty"`
	ChannelID   int64 `json:"channel_id,omitempty"`
}

// AssignmentFilter selects assignments. All fields that are set must match. An empty list
// does not filter.
type AssignmentFilter struct {
	IDs          []int64 `query:"id:in"`
	PriceListIDs []int64 `query:"price_list_id:in"`
	GroupIDs     []int64 `query:"customer_group_id:in"`
	ChannelIDs   []int64 `query:"channel_id:in"`
}

// AssignmentDeletion selects assignments to delete. It must not be empty.
type AssignmentDeletion struct {
	ID          int64 `query:"id"`
	PriceListID int64 `query:"price_list_id"`
	GroupID     int64 `query:"customer_group_id"`
	ChannelID   int64 `query:"channel_id"`
}

// AssignmentService has the operations on the assignments of price lists, of V3.
type AssignmentService struct{ service }

const assignmentsPath = priceListsPath + "/assignments"

// List returns a page of assignments.
func (s *AssignmentService) List(ctx context.Context, f AssignmentFilter, p Page) ([]Assignment, error) {
	return pageOf[Assignment](ctx, s.c, assignmentsPath, f, p)
}

// All yields all assignments that match. Pages are read by cursor.
func (s *AssignmentService) All(ctx context.Context, f AssignmentFilter) iter.Seq2[Assignment, error] {
	return allOf(ctx, s.c, assignmentsPath, f, func(a Assignment) int64 { return a.ID })
}

// Create creates 1 to 25 assignments: all of them, or none with a [*BatchError].
func (s *AssignmentService) Create(ctx context.Context, assignments []AssignmentCreate) error {
	if len(assignments) < 1 || len(assignments) > maxAssignmentsInCall {
		return argument("POST %s takes 1 to %d items, not %d", assignmentsPath, maxAssignmentsInCall, len(assignments))
	}
	r := request{method: http.MethodPost, path: assignmentsPath, body: assignments, creates: true}
	return batchError(s.c.run(ctx, r), len(assignments))
}

// Put assigns a price list to a group in a channel, instead of the list that the group has
// there.
func (s *AssignmentService) Put(ctx context.Context, list, group, channel int64) (Assignment, error) {
	body := map[string]int64{"customer_group_id": group, "channel_id": channel}
	return getData[Assignment](ctx, s.c, request{method: http.MethodPut, path: priceListPath(list) + "/assignments", body: body, gate: gatePutAssignment})
}

// Delete deletes the assignments that match.
func (s *AssignmentService) Delete(ctx context.Context, d AssignmentDeletion) error {
	q, err := deletionQuery(d)
	if err != nil {
		return err
	}
	return s.c.run(ctx, request{method: http.MethodDelete, path: assignmentsPath, query: q})
}
