package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) shopperProfileRoutes() []api.Route {
	const path = "/shopper-profiles"
	return []api.Route{
		{Operation: "listShopperProfiles", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: segmented(h.listShopperProfiles)},
		{Operation: "createShopperProfiles", Method: "POST", Path: path, Scope: cohort.ScopeCustomers, Concurrency: segmentConcurrency, Handle: segmented(h.createShopperProfiles)},
		{Operation: "deleteShopperProfiles", Method: "DELETE", Path: path, Scope: cohort.ScopeCustomers, Handle: segmented(h.deleteShopperProfiles)},
		{Operation: "listSegmentsOfProfile", Method: "GET", Path: path + "/{shopper_profile_uuid}/segments", Scope: cohort.ScopeCustomersRead, Handle: segmented(h.listSegmentsOfProfile)},
	}
}

// profileFields has the fields of a shopper profile in a body.
var profileFields = api.Fields[int64]{
	"id":          nil,
	"customer_id": api.Plain(func(id *int64) *int64 { return id }, texts.ReadID),
	"created_at":  nil,
	"updated_at":  nil,
}

// profileWire is a shopper profile in responses. The fields are in the vendor's order.
type profileWire struct {
	ID         string `json:"id"`
	CustomerID int64  `json:"customer_id"`
	CreatedAt  string `json:"created_at"`
	UpdatedAt  string `json:"updated_at"`
}

func profileToWire(p cohort.ShopperProfile) profileWire {
	return profileWire{p.ID, p.CustomerID, dateText(p.DateCreated), dateText(p.DateModified)}
}

func profileKey(p cohort.ShopperProfile) string { return strconv.FormatInt(p.Number, 10) }

func (h *handler) listShopperProfiles(w http.ResponseWriter, r *api.Request) error {
	_, page, err := decodeNumberQuery(r, filters[struct{}]{})
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.ShopperProfile]) (int64, error) {
		return h.svc.ReadShopperProfiles(ctx, r.Store.Key, p, to)
	}
	return writeUnlinked(w, r, page, read, profileToWire, profileKey)
}

func (h *handler) createShopperProfiles(w http.ResponseWriter, r *api.Request) error {
	customers, err := decodeBatch(r, cohort.MaxProfilesCreated, profileFields, "customer_id")
	if err != nil {
		return err
	}
	profiles, err := h.svc.CreateShopperProfiles(r.Context(), r.Store.Key, customers)
	if err != nil {
		return batchConflict("Unable to create shopper profiles due to conflicts.", len(customers), fieldErrors(err), err)
	}
	return writeRows(w, http.StatusCreated, profiles, profileToWire)
}

func (h *handler) deleteShopperProfiles(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeUUIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteShopperProfiles(r.Context(), r.Store.Key, ids); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) listSegmentsOfProfile(w http.ResponseWriter, r *api.Request) error {
	_, page, err := decodeNumberQuery(r, filters[struct{}]{})
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Segment]) (int64, error) {
		return h.svc.ReadSegmentsOfProfile(ctx, r.Store.Key, r.PathValue("shopper_profile_uuid"), p, to)
	}
	return writeUnlinked(w, r, page, read, segmentToWire, segmentKey)
}
