package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) metafieldRoutes() []api.Route {
	const of, one, all = "/customers/{customer_id}/metafields", "/customers/{customer_id}/metafields/{metafield_id}", "/customers/metafields"
	return []api.Route{
		{Operation: "listMetafieldsOfCustomer", Method: "GET", Path: of, Scope: cohort.ScopeCustomersRead, Handle: metafielded(h.listMetafieldsOfCustomer)},
		{Operation: "createMetafield", Method: "POST", Path: of, Scope: cohort.ScopeCustomers, Handle: metafielded(h.createMetafield)},
		{Operation: "getMetafield", Method: "GET", Path: one, Scope: cohort.ScopeCustomersRead, Handle: metafielded(h.getMetafield)},
		{Operation: "updateMetafield", Method: "PUT", Path: one, Scope: cohort.ScopeCustomers, Handle: metafielded(h.updateMetafield)},
		{Operation: "deleteMetafield", Method: "DELETE", Path: one, Scope: cohort.ScopeCustomers, Handle: metafielded(h.deleteMetafield)},
		{Operation: "listMetafields", Method: "GET", Path: all, Scope: cohort.ScopeCustomersRead, Handle: metafielded(h.listMetafields)},
		{Operation: "createMetafields", Method: "POST", Path: all, Scope: cohort.ScopeCustomers, Handle: metafielded(h.createMetafields)},
		{Operation: "updateMetafields", Method: "PUT", Path: all, Scope: cohort.ScopeCustomers, Handle: metafielded(h.updateMetafields)},
		{Operation: "deleteMetafields", Method: "DELETE", Path: all, Scope: cohort.ScopeCustomers, Handle: metafielded(h.deleteMetafields)},
	}
}

func (h *handler) listMetafieldsOfCustomer(w http.ResponseWriter, r *api.Request) error {
	customer, err := metafieldCustomer(r)
	if err != nil {
		return err
	}
	return h.writeMetafields(w, r, customer)
}

func (h *handler) listMetafields(w http.ResponseWriter, r *api.Request) error {
	return h.writeMetafields(w, r, 0)
}

// writeMetafields sends a page of the metafields of a customer, or of all with 0.
func (h *handler) writeMetafields(w http.ResponseWriter, r *api.Request, customer int64) error {
	query, page, err := decodeCursorQuery(r, metafieldFilters, func(metafieldQuery) listOrder { return orderByID })
	if err != nil {
		return err
	}
	query.filter.CustomerID = customer
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Metafield]) (int64, error) {
		return h.svc.ReadMetafields(ctx, r.Store.Key, r.Client, query.filter, p, to)
	}
	key := func(m cohort.Metafield) string { return strconv.FormatInt(m.ID, 10) }
	return writeCursorList(w, r, page, read, query.toWire, key)
}

func (h *handler) createMetafield(w http.ResponseWriter, r *api.Request) error {
	customer, err := metafieldCustomer(r)
	if err != nil {
		return err
	}
	update, err := decodeShape(r, metafieldFields, "namespace", "key", "value", "permission_set")
	if err != nil {
		return err
	}
	if _, err := h.svc.Customer(r.Context(), r.Store.Key, customer); err != nil {
		return err
	}
	update.CustomerID = customer
	created, wrong, err := h.svc.CreateMetafields(r.Context(), r.Store.Key, r.Client, []cohort.MetafieldUpdate{update})
	if err = firstError(wrong, err); err != nil {
		return err
	}
	return writeSingle(w, metafieldToWire(created[0]))
}

func (h *handler) getMetafield(w http.ResponseWriter, r *api.Request) error {
	customer, id, err := metafieldIDs(r)
	if err != nil {
		return err
	}
	m, err := h.svc.Metafield(r.Context(), r.Store.Key, r.Client, customer, id)
	if err != nil {
		return err
	}
	return writeSingle(w, metafieldToWire(m))
}

func (h *handler) updateMetafield(w http.ResponseWriter, r *api.Request) error {
	customer, id, err := metafieldIDs(r)
	if err != nil {
		return err
	}
	update, err := decodeShape(r, metafieldFields)
	if err != nil {
		return err
	}
	update.ID, update.CustomerID = id, customer
	after, wrong, err := h.svc.UpdateMetafields(r.Context(), r.Store.Key, r.Client, []cohort.MetafieldUpdate{update})
	if err = firstError(wrong, err); err != nil {
		return err
	}
	return writeSingle(w, metafieldToWire(after[0]))
}

func (h *handler) deleteMetafield(w http.ResponseWriter, r *api.Request) error {
	customer, id, err := metafieldIDs(r)
	if err != nil {
		return err
	}
	_, wrong, err := h.svc.DeleteMetafields(r.Context(), r.Store.Key, r.Client, customer, []int64{id})
	if err = firstError(wrong, err); err != nil {
		return err
	}
	return noContent(w)
}

// metafieldCustomer returns the id of the customer in the path. The service takes 0 for all
// customers, so it is refused here.
func metafieldCustomer(r *api.Request) (int64, error) {
	id, err := r.ID("customer_id")
	if err == nil && id == 0 {
		err = cohort.NotFound("customer 0")
	}
	return id, err
}

// metafieldIDs returns the ids in the path of a metafield.
func metafieldIDs(r *api.Request) (customer, id int64, err error) {
	if customer, err = metafieldCustomer(r); err != nil {
		return 0, 0, err
	}
	id, err = r.ID("metafield_id")
	return customer, id, err
}

// firstError returns the error of a call, else the error of its only item, else nil.
func firstError(wrong cohort.ItemErrors, err error) error {
	if err != nil {
		return err
	}
	return wrong[0]
}

func (h *handler) createMetafields(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeShapes(r, cohort.MaxMetafieldsWritten, http.StatusUnprocessableEntity, newMetafieldsFields,
		"resource_id", "namespace", "key", "value", "permission_set")
	if err != nil {
		return err
	}
	created, wrong, err := h.svc.CreateMetafields(r.Context(), r.Store.Key, r.Client, updates)
	if err != nil {
		return err
	}
	return writePartial(w, created, wrong, metafieldToWire)
}

func (h *handler) updateMetafields(w http.ResponseWriter, r *api.Request) error {
	updates, err := decodeShapes(r, cohort.MaxMetafieldsWritten, http.StatusUnprocessableEntity, changedMetafieldsFields, "id")
	if err != nil {
		return err
	}
	after, wrong, err := h.svc.UpdateMetafields(r.Context(), r.Store.Key, r.Client, updates)
	if err != nil {
		return err
	}
	return writePartial(w, after, wrong, metafieldToWire)
}

func (h *handler) deleteMetafields(w http.ResponseWriter, r *api.Request) error {
	ids, err := decodeDeletion(r, metafieldDeletionFilters)
	if err != nil {
		return err
	}
	deleted, wrong, err := h.svc.DeleteMetafields(r.Context(), r.Store.Key, r.Client, 0, ids)
	if err != nil {
		return err
	}
	return writePartial(w, deleted, wrong, func(id int64) int64 { return id })
}
