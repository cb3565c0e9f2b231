package apiv3

import (
	"context"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

func (h *handler) productAssignmentRoutes() []api.Route {
	channels := &assignedTargets{
		target: "channel_id",
		list:   h.svc.ReadChannelAssignments, put: h.svc.AssignProductChannels, delete: h.svc.DeleteChannelAssignments,
	}
	categories := &assignedTargets{
		target: "category_id",
		list:   h.svc.ReadCategoryAssignments, put: h.svc.AssignProductCategories, delete: h.svc.DeleteCategoryAssignments,
	}
	return append(channels.routes("ProductChannels", "/catalog/products/channel-assignments"),
		categories.routes("ProductCategories", "/catalog/products/category-assignments")...)
}

// assignedTargets handles the operations on assignments of products to channels or to
// categories.
type assignedTargets struct {
	target string // the name of the id of a channel or category
	list   func(context.Context, string, cohort.ProductAssignmentFilter, cohort.Page, service.Sink[cohort.ProductAssignment]) (int64, error)
	put    func(context.Context, string, []cohort.ProductAssignment) error
	delete func(context.Context, string, cohort.ProductAssignmentFilter) error
}

func (t *assignedTargets) routes(name, path string) []api.Route {
	return []api.Route{
		{Operation: "list" + name, Method: "GET", Path: path, Scope: read, Handle: t.handleList},
		{Operation: "put" + name, Method: "PUT", Path: path, Scope: modify, Handle: t.handlePut},
		{Operation: "delete" + name, Method: "DELETE", Path: path, Scope: modify, Handle: t.handleDelete},
	}
}

func (t *assignedTargets) fields() api.Fields[cohort.ProductAssignment] {
	return api.Fields[cohort.ProductAssignment]{
		"product_id": api.Plain(func(a *cohort.ProductAssignment) *int64 { return &a.ProductID }, texts.ReadID),
		t.target:     api.Plain(func(a *cohort.ProductAssignment) *int64 { return &a.TargetID }, texts.ReadID),
	}
}

func (t *assignedTargets) filters() filters[cohort.ProductAssignmentFilter] {
	return filters[cohort.ProductAssignmentFilter]{
		"product_id:in":  idFilter(func(f *cohort.ProductAssignmentFilter) *[]int64 { return &f.ProductIDs }),
		t.target + ":in": idFilter(func(f *cohort.ProductAssignmentFilter) *[]int64 { return &f.TargetIDs }),
	}
}

func (t *assignedTargets) members() []member[cohort.ProductAssignment] {
	return []member[cohort.ProductAssignment]{
		valueMember("product_id", func(a *cohort.ProductAssignment) int64 { return a.ProductID }),
		valueMember(t.target, func(a *cohort.ProductAssignment) int64 { return a.TargetID }),
	}
}

func (t *assignedTargets) handleList(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeNumberQuery(r, t.filters())
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.ProductAssignment]) (int64, error) {
		return t.list(ctx, r.Store.Key, filter, p, to)
	}
	members := t.members()
	toWire := func(a cohort.ProductAssignment) object[cohort.ProductAssignment] {
		return object[cohort.ProductAssignment]{members, a}
	}
	return writeNumberList(w, r, page, read, toWire, cohort.ProductAssignment.Key)
}

func (t *assignedTargets) handlePut(w http.ResponseWriter, r *api.Request) error {
	list, err := decodeBatch(r, cohort.MaxProductAssignments, t.fields(), "product_id", t.target)
	if err != nil {
		return err
	}
	if err := t.put(r.Context(), r.Store.Key, list); err != nil {
		return err
	}
	return noContent(w)
}

func (t *assignedTargets) handleDelete(w http.ResponseWriter, r *api.Request) error {
	filter, err := decodeDeletion(r, t.filters())
	if err != nil {
		return err
	}
	if err := t.delete(r.Context(), r.Store.Key, filter); err != nil {
		return err
	}
	return noContent(w)
}
