package apiv3

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// Variant options and modifiers have the same operations, under different paths and with
// different fields.

func (h *handler) optionRoutes() []api.Route {
	return slices.Concat(
		optionRoutesOf(&optionHandler{h, cohort.VariantOption, "option_id", variantOptionFormat}, "Option", "/catalog/products/{product_id}/options"),
		optionRoutesOf(&optionHandler{h, cohort.Modifier, "modifier_id", modifierFormat}, "Modifier", "/catalog/products/{product_id}/modifiers"),
	)
}

func optionRoutesOf(h *optionHandler, name, path string) []api.Route {
	one := path + "/{" + h.id + "}"
	values, value := one+"/values", one+"/values/{value_id}"
	return []api.Route{
		{Operation: "list" + name + "s", Method: "GET", Path: path, Scope: read, Handle: h.list},
		{Operation: "create" + name, Method: "POST", Path: path, Scope: modify, Handle: h.create},
		{Operation: "get" + name, Method: "GET", Path: one, Scope: read, Handle: h.get},
		{Operation: "update" + name, Method: "PUT", Path: one, Scope: modify, Handle: h.update},
		{Operation: "delete" + name, Method: "DELETE", Path: one, Scope: modify, Handle: h.delete},
		{Operation: "list" + name + "Values", Method: "GET", Path: values, Scope: read, Handle: h.listChoices},
		{Operation: "create" + name + "Value", Method: "POST", Path: values, Scope: modify, Handle: h.createChoice},
		{Operation: "get" + name + "Value", Method: "GET", Path: value, Scope: read, Handle: h.getChoice},
		{Operation: "update" + name + "Value", Method: "PUT", Path: value, Scope: modify, Handle: h.updateChoice},
		{Operation: "delete" + name + "Value", Method: "DELETE", Path: value, Scope: modify, Handle: h.deleteChoice},
	}
}

// optionHandler handles the operations on options of one kind.
type optionHandler struct {
	*handler
	kind   cohort.OptionKind
	id     string // of an option, in paths
	format *optionFormat
}

// optionFormat are the fields of options of one kind, and of their values.
type optionFormat struct {
	body        api.Fields[cohort.OptionUpdate]
	required    []string // in a create
	members     []member[cohort.Option]
	filters     filters[fieldSelection]
	choice      api.Fields[cohort.ChoiceUpdate]
	choiceParts []member[choiceOf]
	choiceQuery filters[fieldSelection]
}

// choiceOf is a value with the option that offers it.
type choiceOf struct {
	cohort.Choice
	optionID int64
}

var (
	variantOptionFormat = newOptionFormat(cohort.VariantOption, "display_name", "type")
	modifierFormat      = newOptionFormat(cohort.Modifier, "display_name", "type", "required")
)

func newOptionFormat(kind cohort.OptionKind, required ...string) *optionFormat {
	f := &optionFormat{required: required, filters: filters[fieldSelection]{}, choiceQuery: filters[fieldSelection]{}}
	f.choice = addDetails(api.Fields[cohort.ChoiceUpdate]{
		"id":         nil,
		"option_id":  nil,
		"label":      api.Optional(func(u *cohort.ChoiceUpdate) **string { return &u.Label }, readText),
		"is_default": api.Optional(func(u *cohort.ChoiceUpdate) **bool { return &u.IsDefault }, texts.ReadBool),
	}, kind.ChoiceDetails(), func(u *cohort.ChoiceUpdate) *cohort.Details { return &u.Details })
	f.body = addDetails(api.Fields[cohort.OptionUpdate]{
		"id":            nil,
		"product_id":    nil,
		"name":          nil,
		"display_name":  api.Optional(func(u *cohort.OptionUpdate) **string { return &u.DisplayName }, readText),
		"type":          api.Optional(func(u *cohort.OptionUpdate) **string { return &u.Type }, readText),
		"option_values": api.Plain(func(u *cohort.OptionUpdate) *[]cohort.ChoiceUpdate { return &u.Choices }, f.readChoices),
	}, kind.Details(), func(u *cohort.OptionUpdate) *cohort.Details { return &u.Details })

	f.choiceParts = choiceMembers(kind)
	f.members = slices.Concat([]member[cohort.Option]{
		valueMember("id", func(o *cohort.Option) int64 { return o.ID }),
		valueMember("product_id", func(o *cohort.Option) int64 { return o.ProductID }),
		valueMember("name", uniqueName),
		valueMember("display_name", func(o *cohort.Option) string { return o.DisplayName }),
		valueMember("type", func(o *cohort.Option) string { return o.Type }),
	}, detailMembers(kind.Details(), func(o *cohort.Option) cohort.Details { return o.Details }, nil), []member[cohort.Option]{
		{"option_values", f.appendChoices},
	})
	at := func(s *fieldSelection) *fieldSelection { return s }
	selectionFilters(f.filters, f.members, at)
	selectionFilters(f.choiceQuery, f.choiceParts, at)
	return f
}

// uniqueName is the name of an option that no other option of the store has.
func uniqueName(o *cohort.Option) string {
	return fmt.Sprintf("%s%d-%d", o.DisplayName, o.ID, o.ProductID)
}

// choiceMembers has the members of a value in the order of responses.
func choiceMembers(kind cohort.OptionKind) []member[choiceOf] {
	members := []member[choiceOf]{valueMember("id", func(c *choiceOf) int64 { return c.ID })}
	if kind == cohort.Modifier {
		members = append(members, valueMember("option_id", func(c *choiceOf) int64 { return c.optionID }))
	}
	return slices.Concat(members, []member[choiceOf]{
		valueMember("label", func(c *choiceOf) string { return c.Label }),
		valueMember("is_default", func(c *choiceOf) bool { return c.IsDefault }),
	}, detailMembers(kind.ChoiceDetails(), func(c *choiceOf) cohort.Details { return c.Details }, nil))
}

func (f *optionFormat) appendChoices(dst []byte, o *cohort.Option) (_ []byte, err error) {
	dst = append(dst, '[')
	for i, c := range o.Choices {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = api.AppendJSON(dst, object[choiceOf]{f.choiceParts, choiceOf{c, o.ID}}); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// newChoiceFields are the fields that a new value must have.
var newChoiceFields = []string{"label", "sort_order"}

// readChoices reads the values in the body of an option. A value with an id changes that
// value, and one without is new.
func (f *optionFormat) readChoices(v api.Value) ([]cohort.ChoiceUpdate, error) {
	values, ok := v.ArrayIn(nil, cohort.MaxChoices)
	switch {
	case !ok:
		return nil, cohort.Invalid("", "The value must be an array of option values.")
	case len(values) > cohort.MaxChoices:
		return nil, cohort.Invalid("", fmt.Sprintf("An option or modifier has at most %d values.", cohort.MaxChoices))
	}
	choices := make([]cohort.ChoiceUpdate, len(values))
	var failed failures
	for i, v := range values {
		required := newChoiceFields
		if id, err := choiceID(v); err != nil {
			failed.add(strconv.Itoa(i), err)
		} else if id != 0 {
			choices[i].ID, required = id, nil
		}
		if err := decodeObject(v, &choices[i], f.choice, required...); err != nil {
			failed.add(strconv.Itoa(i), err)
		}
	}
	return choices, failed.err()
}

// choiceID returns the id in the body of a value, or 0 if it has none.
func choiceID(v api.Value) (int64, error) {
	object, _ := v.Object()
	for _, m := range object {
		if m.Name == "id" && !m.Value.IsNull() {
			id, err := texts.ReadIDOrNone(m.Value)
			if err != nil {
				return 0, cohort.Invalid("id", "The value must be the id of an option value.")
			}
			return id, nil
		}
	}
	return 0, nil
}

// ref returns the option, or the options, that a path names.
func (h *optionHandler) ref(r *api.Request, hasID bool) (ref service.OptionRef, err error) {
	ref.Kind = h.kind
	if ref.ProductID, err = r.ID("product_id"); err == nil && hasID {
		ref.ID, err = r.ID(h.id)
	}
	return ref, err
}

// choiceRef returns the value that a path names, and its option.
func (h *optionHandler) choiceRef(r *api.Request) (ref service.OptionRef, id int64, err error) {
	if ref, err = h.ref(r, true); err == nil {
		id, err = r.ID("value_id")
	}
	return ref, id, err
}

func (h *optionHandler) write(w http.ResponseWriter, o cohort.Option, fields fieldSelection) error {
	return writeSingle(w, object[cohort.Option]{selected(fields, h.format.members), o})
}

func (h *optionHandler) list(w http.ResponseWriter, r *api.Request) error {
	ref, err := h.ref(r, false)
	if err != nil {
		return err
	}
	fields, page, err := decodeQuery(r, h.format.filters)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Option]) (int64, error) {
		return h.svc.ReadOptions(ctx, r.Store.Key, ref, p, to)
	}
	members := selected(fields, h.format.members)
	toWire := func(o cohort.Option) object[cohort.Option] { return object[cohort.Option]{members, o} }
	return writeCollection(w, r, page, read, toWire, func(o cohort.Option) string { return strconv.FormatInt(o.ID, 10) })
}

func (h *optionHandler) create(w http.ResponseWriter, r *api.Request) error {
	ref, err := h.ref(r, false)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, h.format.body, h.format.required...)
	if err != nil {
		return err
	}
	o, err := h.svc.CreateOption(r.Context(), r.Store.Key, ref, u)
	if err != nil {
		return err
	}
	return h.write(w, o, fieldSelection{})
}

func (h *optionHandler) get(w http.ResponseWriter, r *api.Request) error {
	ref, err := h.ref(r, true)
	if err != nil {
		return err
	}
	fields, err := readSelection(r, h.format.members)
	if err != nil {
		return err
	}
	o, err := h.svc.Option(r.Context(), r.Store.Key, ref)
	if err != nil {
		return err
	}
	return h.write(w, o, fields)
}

func (h *optionHandler) update(w http.ResponseWriter, r *api.Request) error {
	ref, err := h.ref(r, true)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, h.format.body)
	if err != nil {
		return err
	}
	o, err := h.svc.UpdateOption(r.Context(), r.Store.Key, ref, u)
	if err != nil {
		return err
	}
	return h.write(w, o, fieldSelection{})
}

func (h *optionHandler) delete(w http.ResponseWriter, r *api.Request) error {
	ref, err := h.ref(r, true)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteOption(r.Context(), r.Store.Key, ref); err != nil {
		return err
	}
	return noContent(w)
}

func (h *optionHandler) writeChoice(w http.ResponseWriter, ref service.OptionRef, c cohort.Choice, fields fieldSelection) error {
	return writeSingle(w, object[choiceOf]{selected(fields, h.format.choiceParts), choiceOf{c, ref.ID}})
}

func (h *optionHandler) listChoices(w http.ResponseWriter, r *api.Request) error {
	ref, err := h.ref(r, true)
	if err != nil {
		return err
	}
	fields, page, err := decodeQuery(r, h.format.choiceQuery)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Choice]) (int64, error) {
		return h.svc.ReadChoices(ctx, r.Store.Key, ref, p, to)
	}
	members := selected(fields, h.format.choiceParts)
	toWire := func(c cohort.Choice) object[choiceOf] { return object[choiceOf]{members, choiceOf{c, ref.ID}} }
	return writeCollection(w, r, page, read, toWire, func(c cohort.Choice) string { return strconv.FormatInt(c.ID, 10) })
}

func (h *optionHandler) createChoice(w http.ResponseWriter, r *api.Request) error {
	ref, err := h.ref(r, true)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, h.format.choice, newChoiceFields...)
	if err != nil {
		return err
	}
	c, err := h.svc.CreateChoice(r.Context(), r.Store.Key, ref, u)
	if err != nil {
		return err
	}
	return h.writeChoice(w, ref, c, fieldSelection{})
}

func (h *optionHandler) getChoice(w http.ResponseWriter, r *api.Request) error {
	ref, id, err := h.choiceRef(r)
	if err != nil {
		return err
	}
	fields, err := readSelection(r, h.format.choiceParts)
	if err != nil {
		return err
	}
	c, err := h.svc.Choice(r.Context(), r.Store.Key, ref, id)
	if err != nil {
		return err
	}
	return h.writeChoice(w, ref, c, fields)
}

func (h *optionHandler) updateChoice(w http.ResponseWriter, r *api.Request) error {
	ref, id, err := h.choiceRef(r)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, h.format.choice)
	if err != nil {
		return err
	}
	c, err := h.svc.UpdateChoice(r.Context(), r.Store.Key, ref, id, u)
	if err != nil {
		return err
	}
	return h.writeChoice(w, ref, c, fieldSelection{})
}

func (h *optionHandler) deleteChoice(w http.ResponseWriter, r *api.Request) error {
	ref, id, err := h.choiceRef(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteChoice(r.Context(), r.Store.Key, ref, id); err != nil {
		return err
	}
	return noContent(w)
}
