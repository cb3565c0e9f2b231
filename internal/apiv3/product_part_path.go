package apiv3

import (
	"fmt"
	"net/http"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// Custom fields, images and videos of a product have the same operations, under different
// paths and with different fields.

func (h *handler) productPartRoutes() []api.Route {
	const product = "/catalog/products/{product_id}/"
	return slices.Concat(
		partRoutesOf(&partHandler{h, customFieldFormat, "custom_field_id"}, "CustomField", product+"custom-fields"),
		partRoutesOf(&partHandler{h, imageFormat, "image_id"}, "ProductImage", product+"images"),
		partRoutesOf(&partHandler{h, videoFormat, "id"}, "ProductVideo", product+"videos"),
	)
}

func partRoutesOf(h *partHandler, name, path string) []api.Route {
	one := path + "/{" + h.id + "}"
	return []api.Route{
		{Operation: "list" + name + "s", Method: "GET", Path: path, Scope: read, Handle: h.list},
		{Operation: "create" + name, Method: "POST", Path: path, Scope: modify, Handle: h.create},
		{Operation: "get" + name, Method: "GET", Path: one, Scope: read, Handle: h.get},
		{Operation: "update" + name, Method: "PUT", Path: one, Scope: modify, Handle: h.update},
		{Operation: "delete" + name, Method: "DELETE", Path: one, Scope: modify, Handle: h.delete},
	}
}

// partHandler handles the operations on the objects of one part of a product.
type partHandler struct {
	*handler
	format *partFormat
	id     string // of an object, in paths
}

// filters has the parameters of a list.
func (h *partHandler) filters() filters[fieldSelection] {
	table := filters[fieldSelection]{}
	selectionFilters(table, h.format.members, func(s *fieldSelection) *fieldSelection { return s })
	return table
}

// list sends a page of the objects in the stored order. All of them fit into memory; see
// [cohort.AdoptParts].
func (h *partHandler) list(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("product_id")
	if err != nil {
		return err
	}
	fields, page, err := decodeNumberQuery(r, h.filters())
	if err != nil {
		return err
	}
	p, err := h.svc.Product(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	objects, err := h.format.objects(&p)
	if err != nil {
		return err
	}
	total := len(objects)
	from := min(page.Offset(), int64(total))
	objects = objects[from:min(from+int64(page.Size), int64(total))]
	members := selected(fields, h.format.members)
	for i := range objects {
		objects[i].members = members
	}
	return api.WriteJSON(w, http.StatusOK, struct {
		Data []object[partObject] `json:"data"`
		Meta meta                 `json:"meta"`
	}{objects, meta{Pagination: page.pagination(len(objects), int64(total))}})
}

// ids returns the ids of the product and the object that a path names.
func (h *partHandler) ids(r *api.Request) (product, object int64, err error) {
	if product, err = r.ID("product_id"); err == nil {
		object, err = r.ID(h.id)
	}
	return product, object, err
}

// find returns the index of an object, or KindNotFound.
func (h *partHandler) find(objects []cohort.Details, id int64) (int, error) {
	i := slices.IndexFunc(objects, func(d cohort.Details) bool { return d.Integer("id", 0) == id })
	if i < 0 {
		return i, cohort.NotFound(fmt.Sprintf("%s %d", h.format.what, id))
	}
	return i, nil
}

func (h *partHandler) write(w http.ResponseWriter, product int64, d cohort.Details, fields fieldSelection) error {
	return writeSingle(w, object[partObject]{selected(fields, h.format.members), partObject{product, d}})
}

func (h *partHandler) get(w http.ResponseWriter, r *api.Request) error {
	product, id, err := h.ids(r)
	if err != nil {
		return err
	}
	fields, err := readSelection(r, h.format.members)
	if err != nil {
		return err
	}
	p, err := h.svc.Product(r.Context(), r.Store.Key, product)
	if err != nil {
		return err
	}
	objects, err := h.format.Objects(p.Details)
	if err != nil {
		return err
	}
	i, err := h.find(objects, id)
	if err != nil {
		return err
	}
	return h.write(w, product, objects[i], fields)
}

func (h *partHandler) create(w http.ResponseWriter, r *api.Request) error {
	product, err := r.ID("product_id")
	if err != nil {
		return err
	}
	d, err := decodeBody(r, h.format.body, h.format.required...)
	if err != nil {
		return err
	}
	objects, err := h.svc.ChangePart(r.Context(), r.Store.Key, product, h.format.PartList, func(objects []cohort.Details) ([]cohort.Details, error) {
		return append(objects, d), nil
	})
	if err != nil {
		return err
	}
	return h.write(w, product, objects[len(objects)-1], fieldSelection{})
}

func (h *partHandler) update(w http.ResponseWriter, r *api.Request) error {
	product, id, err := h.ids(r)
	if err != nil {
		return err
	}
	d, err := decodeBody(r, h.format.body)
	if err != nil {
		return err
	}
	if len(d) == 0 {
		return h.get(w, r)
	}
	at := 0
	objects, err := h.svc.ChangePart(r.Context(), r.Store.Key, product, h.format.PartList, func(objects []cohort.Details) ([]cohort.Details, error) {
		if at, err = h.find(objects, id); err != nil {
			return nil, err
		}
		objects[at] = objects[at].Merge(d)
		return objects, nil
	})
	if err != nil {
		return err
	}
	return h.write(w, product, objects[at], fieldSelection{})
}

func (h *partHandler) delete(w http.ResponseWriter, r *api.Request) error {
	product, id, err := h.ids(r)
	if err != nil {
		return err
	}
	_, err = h.svc.ChangePart(r.Context(), r.Store.Key, product, h.format.PartList, func(objects []cohort.Details) ([]cohort.Details, error) {
		at, err := h.find(objects, id)
		if err != nil {
			return nil, err
		}
		return slices.Delete(objects, at, at+1), nil
	})
	if err != nil {
		return err
	}
	return noContent(w)
}
