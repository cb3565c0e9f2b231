package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) priceListRoutes() []api.Route {
	return []api.Route{
		{Operation: "listPriceLists", Method: "GET", Path: "/pricelists", Scope: read, Handle: h.listPriceLists},
		{Operation: "createPriceList", Method: "POST", Path: "/pricelists", Scope: modify, Handle: h.createPriceList},
		{Operation: "deletePriceLists", Method: "DELETE", Path: "/pricelists", Scope: modify, Handle: h.deletePriceLists},
		{Operation: "getPriceList", Method: "GET", Path: "/pricelists/{price_list_id}", Scope: read, Handle: h.getPriceList},
		{Operation: "updatePriceList", Method: "PUT", Path: "/pricelists/{price_list_id}", Scope: modify, Handle: h.updatePriceList},
		{Operation: "deletePriceList", Method: "DELETE", Path: "/pricelists/{price_list_id}", Scope: modify, Concurrency: 1, Handle: h.deletePriceList},
	}
}

// priceListFields has the fields of a body of a price list.
var priceListFields = api.Fields[cohort.PriceListUpdate]{
	"name":          api.Optional(func(u *cohort.PriceListUpdate) **string { return &u.Name }, readText),
	"active":        api.Optional(func(u *cohort.PriceListUpdate) **bool { return &u.Active }, texts.ReadBool),
	"id":            nil,
	"date_created":  nil,
	"date_modified": nil,
}

var priceListFilters = func() filters[cohort.PriceListFilter] {
	table := filters[cohort.PriceListFilter]{
		"id:in":     idFilter(func(f *cohort.PriceListFilter) *[]int64 { return &f.IDs }),
		"name":      api.TextFilter(func(f *cohort.PriceListFilter) **string { return &f.Name }),
		"name:like": partFilter(func(f *cohort.PriceListFilter) *string { return &f.NameLike }),
	}
	dateFilters(table, "date_created", func(f *cohort.PriceListFilter) *cohort.TimeRange { return &f.DateCreated })
	dateFilters(table, "date_modified", func(f *cohort.PriceListFilter) *cohort.TimeRange { return &f.DateModified })
	return table
}()

// priceListDeletionFilters has the filters of the deletion of price lists.
var priceListDeletionFilters = filters[cohort.PriceListFilter]{
	"id:in": priceListFilters["id:in"],
	"name":  priceListFilters["name"],
}

// priceListWire is a price list in responses. The fields are in the vendor's order.
type priceListWire struct {
	ID           int64  `json:"id"`
	DateCreated  string `json:"date_created"`
	DateModified string `json:"date_modified"`
	Name         string `json:"name"`
	Active       bool   `json:"active"`
}

func priceListToWire(l cohort.PriceList) priceListWire {
	return priceListWire{l.ID, dateText(l.DateCreated), dateText(l.DateModified), l.Name, l.Active}
}

func (h *handler) listPriceLists(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeQuery(r, priceListFilters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.PriceList]) (int64, error) {
		return h.svc.ReadPriceLists(ctx, r.Store.Key, filter, p, to)
	}
	key := func(l cohort.PriceList) string { return strconv.FormatInt(l.ID, 10) }
	return writeCollection(w, r, page, read, priceListToWire, key)
}

func (h *handler) createPriceList(w http.ResponseWriter, r *api.Request) error {
	update, err := decodeBody(r, priceListFields, "name")
	if err != nil {
		return err
	}
	list, err := h.svc.CreatePriceList(r.Context(), r.Store.Key, update.Apply(cohort.PriceList{Active: true}))
	if err != nil {
		return err
	}
	return writeSingle(w, priceListToWire(list))
}

func (h *handler) deletePriceLists(w http.ResponseWriter, r *api.Request) error {
	filter, err := decodeDeletion(r, priceListDeletionFilters)
	if err != nil {
		return err
	}
	if _, err := h.svc.DeletePriceLists(r.Context(), r.Store.Key, filter); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) getPriceList(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("price_list_id")
	if err != nil {
		return err
	}
	list, err := h.svc.PriceList(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeSingle(w, priceListToWire(list))
}

func (h *handler) updatePriceList(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("price_list_id")
	if err != nil {
		return err
	}
	update, err := decodeBody(r, priceListFields)
	if err != nil {
		return err
	}
	list, err := h.svc.UpdatePriceList(r.Context(), r.Store.Key, id, update)
	if err != nil {
		return err
	}
	return writeSingle(w, priceListToWire(list))
}

func (h *handler) deletePriceList(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("price_list_id")
	if err != nil {
		return err
	}
	if err := h.svc.DeletePriceList(r.Context(), r.Store.Key, id); err != nil {
		return err
	}
	return noContent(w)
}
