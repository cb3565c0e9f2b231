package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// segmentConcurrency is how many requests of a store may write segments, and how many may
// add members to them. Source: the vendor's reference.
const segmentConcurrency = 10

func (h *handler) segmentRoutes() []api.Route {
	const path, members = "/segments", "/segments/{segment_uuid}/shopper-profiles"
	return []api.Route{
		{Operation: "listSegments", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: segmented(h.listSegments)},
		{Operation: "createSegments", Method: "POST", Path: path, Scope: cohort.ScopeCustomers, Concurrency: segmentConcurrency, Handle: segmented(h.createSegments)},
		{Operation: "updateSegments", Method: "PUT", Path: path, Scope: cohort.ScopeCustomers, Concurrency: segmentConcurrency, Handle: segmented(h.updateSegments)},
		{Operation: "deleteSegments", Method: "DELETE", Path: path, Scope: cohort.ScopeCustomers, Handle: segmented(h.deleteSegments)},
		// The vendor requires the scope for changes, although this changes nothing.
		{Operation: "listProfilesOfSegment", Method: "GET", Path: members, Scope: cohort.ScopeCustomers, Handle: segmented(h.listMembers)},
		{Operation: "addProfilesToSegment", Method: "POST", Path: members, Scope: cohort.ScopeCustomers, Concurrency: segmentConcurrency, Handle: segmented(h.addMembers)},
		{Operation: "removeProfilesFromSegment", Method: "DELETE", Path: members, Scope: cohort.ScopeCustomers, Handle: segmented(h.removeMembers)},
	}
}

// segmentFields has the fields of a segment in a body.
var segmentFields = api.Fields[cohort.SegmentUpdate]{
	"id":          api.Plain(func(u *cohort.SegmentUpdate) *string { return &u.ID }, readUUID),
	"name":        api.Optional(func(u *cohort.SegmentUpdate) **string { return &u.Name }, readText),
	"description": api.Optional(func(u *cohort.SegmentUpdate) **string { return &u.Description }, readText),
	"created_at":  nil,
	"updated_at":  nil,
}

// newSegmentFields has the fields of a new segment.
var newSegmentFields = api.Fields[cohort.SegmentUpdate]{
	"id":          nil,
	"name":        segmentFields["name"],
	"description": segmentFields["description"],
	"created_at":  nil,
	"updated_at":  nil,
}

// segmentWire is a segment in responses. The fields are in the vendor's order, and unlike
// everywhere else the dates are created_at and updated_at.
type segmentWire struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	CreatedAt   string `json:"created_at"`
	UpdatedAt   string `json:"updated_at"`
}

func segmentToWire(s cohort.Segment) segmentWire {
	return segmentWire{s.ID, s.Name, s.Description, dateText(s.DateCreated), dateText(s.DateModified)}
}

func segmentKey(s cohort.Segment) string { return strconv.FormatInt(s.Number, 10) }

func (h *handler) listSegments(w http.ResponseWriter, r *api.Request) error {
	ids, page, err := decodeNumberQuery(joinIDs(r), uuidFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Segment]) (int64, error) {
		return h.svc.ReadSegments(ctx, r.Store.Key, ids, p, to)
	}
	return writeUnlinked(w, r, page, read, segmentToWire, segmentKey)
}

func (h *handler) createSegments(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeBatch(r, cohort.MaxSegmentsWritten, newSegmentFields, "name")
	if err != nil {
		return err
	}
	segments, err := h.svc.CreateSegments(r.Context(), r.Store.Key, updates)
	if err != nil {
		return segmentNameConflict(len(updates), err)
	}
	return writeRows(w, http.StatusCreated, segments, segmentToWire)
}

func (h *handler) updateSegments(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeBatch(r, cohort.MaxSegmentsWritten, segmentFields, "id")
	if err != nil {
		return err
	}
	segments, err := h.svc.UpdateSegments(r.Context(), r.Store.Key, updates)
	if err != nil {
		return segmentNameConflict(len(updates), err)
	}
	return writeRows(w, http.StatusOK, segments, segmentToWire)
}

// segmentNameConflict is batchConflict for names. Its errors are empty in the vendor's
// example.
func segmentNameConflict(items int, err error) error {
	return batchConflict("Cannot have multiple segments with the same name.", items, map[string]string{}, err)
}

func (h *handler) deleteSegments(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeUUIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteSegments(r.Context(), r.Store.Key, ids); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) listMembers(w http.ResponseWriter, r *api.Request) error {
	_, page, err := decodeNumberQuery(r, filters[struct{}]{})
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.ShopperProfile]) (int64, error) {
		return h.svc.ReadMembers(ctx, r.Store.Key, r.PathValue("segment_uuid"), p, to)
	}
	return writeUnlinked(w, r, page, read, profileToWire, profileKey)
}

func (h *handler) addMembers(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeUUIDArray(r, cohort.MaxProfilesAdded)
	if err != nil {
		return err
	}
	profiles, err := h.svc.AddMembers(r.Context(), r.Store.Key, r.PathValue("segment_uuid"), ids)
	if err != nil {
		return batchConflict("Unable to add shopper profiles to segment due to conflicts.", len(ids), fieldErrors(err), err)
	}
	return writeRows(w, http.StatusCreated, profiles, profileToWire)
}

func (h *handler) removeMembers(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeUUIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.RemoveMembers(r.Context(), r.Store.Key, r.PathValue("segment_uuid"), ids); err != nil {
		return err
	}
	return noContent(w)
}
