package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) assignmentRoutes() []api.Route {
	return []api.Route{
		{Operation: "listAssignments", Method: "GET", Path: "/pricelists/assignments", Scope: read, Handle: h.listAssignments},
		{Operation: "createAssignments", Method: "POST", Path: "/pricelists/assignments", Scope: modify, Handle: h.createAssignments},
		{Operation: "deleteAssignments", Method: "DELETE", Path: "/pricelists/assignments", Scope: modify, Handle: h.deleteAssignments},
		{Operation: "putAssignment", Method: "PUT", Path: "/pricelists/{price_list_id}/assignments", Scope: modify, Concurrency: 25, Handle: h.putAssignment},
	}
}

// assignmentFields has the fields of a new assignment.
var assignmentFields = api.Fields[cohort.PriceListAssignment]{
	"price_list_id":     api.Plain(func(a *cohort.PriceListAssignment) *int64 { return &a.PriceListID }, texts.ReadID),
	"customer_group_id": idOrNone(func(a *cohort.PriceListAssignment) *int64 { return &a.GroupID }),
	"channel_id":        idOrNone(func(a *cohort.PriceListAssignment) *int64 { return &a.ChannelID }),
	"id":                nil,
}

// upsertFields has the fields of a PUT. The group and the channel cannot be none.
var upsertFields = api.Fields[cohort.PriceListAssignment]{
	"price_list_id":     assignmentFields["price_list_id"],
	"customer_group_id": api.Plain(func(a *cohort.PriceListAssignment) *int64 { return &a.GroupID }, texts.ReadID),
	"channel_id":        api.Plain(func(a *cohort.PriceListAssignment) *int64 { return &a.ChannelID }, texts.ReadID),
	"id":                nil,
}

// idOrNone returns the function for an id. null and 0 mean none.
func idOrNone[T any](field func(*T) *int64) func(*T, api.Value) error {
	return func(into *T, v api.Value) (err error) {
		if v.IsNull() {
			*field(into) = 0
			return nil
		}
		*field(into), err = texts.ReadIDOrNone(v)
		return err
	}
}

var assignmentFilters = filters[cohort.AssignmentFilter]{
	"id":                   oneIDFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.IDs }),
	"id:in":                idFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.IDs }),
	"price_list_id":        oneIDFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.PriceListIDs }),
	"price_list_id:in":     idFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.PriceListIDs }),
	"customer_group_id":    oneIDFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.GroupIDs }),
	"customer_group_id:in": idFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.GroupIDs }),
	"channel_id":           oneIDFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.ChannelIDs }),
	"channel_id:in":        idFilter(func(f *cohort.AssignmentFilter) *[]int64 { return &f.ChannelIDs }),
}

// assignmentDeletionFilters has the filters of the deletion of assignments.
var assignmentDeletionFilters = filters[cohort.AssignmentFilter]{
	"id":                assignmentFilters["id"],
	"price_list_id":     assignmentFilters["price_list_id"],
	"customer_group_id": assignmentFilters["customer_group_id"],
	"channel_id":        assignmentFilters["channel_id"],
	"channel_id:in":     assignmentFilters["channel_id:in"],
}

// assignmentWire is an assignment in responses.
type assignmentWire struct {
	ID          int64  `json:"id"`
	PriceListID int64  `json:"price_list_id"`
	GroupID     *int64 `json:"customer_group_id"` // null: every shopper
	ChannelID   *int64 `json:"channel_id"`        // null: every channel
}

func assignmentToWire(a cohort.PriceListAssignment) assignmentWire {
	wire := assignmentWire{ID: a.ID, PriceListID: a.PriceListID}
	if a.GroupID != 0 {
		wire.GroupID = &a.GroupID
	}
	if a.ChannelID != 0 {
		wire.ChannelID = &a.ChannelID
	}
	return wire
}

func (h *handler) listAssignments(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeQuery(r, assignmentFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.PriceListAssignment]) (int64, error) {
		return h.svc.ReadAssignments(ctx, r.Store.Key, filter, p, to)
	}
	key := func(a cohort.PriceListAssignment) string { return strconv.FormatInt(a.ID, 10) }
	return writeCollection(w, r, page, read, assignmentToWire, key)
}

func (h *handler) createAssignments(w http.ResponseWriter, r *api.Request) error {
	list, err := decodeBatch(r, cohort.MaxAssignments, assignmentFields, "price_list_id")
	if err != nil {
		return rejectAssignments(err)
	}
	if err := h.svc.CreateAssignments(r.Context(), r.Store.Key, list); err != nil {
		return rejectAssignments(err)
	}
	return writeSingle(w, struct{}{})
}

// rejectAssignments adds the number of saved assignments, which is always 0, to an
// error about some of the assignments.
func rejectAssignments(err error) error {
	if !aboutItems(err) {
		return err
	}
	type saved struct {
		Records int `json:"saved_records"`
	}
	return &customError{status: http.StatusUnprocessableEntity, err: err, body: errorWire{
		Status: http.StatusUnprocessableEntity, Title: titleInvalid, Type: api.StatusType, Errors: fieldErrors(err), Meta: saved{0},
	}}
}

func (h *handler) putAssignment(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("price_list_id")
	if err != nil {
		return err
	}
	assignment, err := decodeBody(r, upsertFields, "customer_group_id", "channel_id")
	if err != nil {
		return err
	}
	if assignment.PriceListID != 0 && assignment.PriceListID != id {
		return cohort.Invalid("price_list_id", "The value is not that of the path.")
	}
	assignment.PriceListID = id
	if assignment, err = h.svc.PutAssignment(r.Context(), r.Store.Key, assignment); err != nil {
		return err
	}
	return writeSingle(w, assignmentToWire(assignment))
}

func (h *handler) deleteAssignments(w http.ResponseWriter, r *api.Request) error {
	filter, err := decodeDeletion(r, assignmentDeletionFilters)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteAssignments(r.Context(), r.Store.Key, filter); err != nil {
		return err
	}
	return noContent(w)
}
