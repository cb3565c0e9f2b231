package apiv3

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// hookSecrets are fields with what only the receiver has to know.
var hookSecrets = []string{"headers"}

// A webhook belongs to the token that has created it: others do not see it. Any token may have
// webhooks, so the routes need no scope.
func (h *handler) hookRoutes() []api.Route {
	const one = "/hooks/{webhook_id}"
	return []api.Route{
		{Operation: "listHooks", Method: "GET", Path: "/hooks", Secrets: hookSecrets, Handle: hooked(h.listHooks)},
		{Operation: "createHook", Method: "POST", Path: "/hooks", Secrets: hookSecrets, Handle: hooked(h.createHook)},
		{Operation: "getHook", Method: "GET", Path: one, Secrets: hookSecrets, Handle: hooked(h.getHook)},
		{Operation: "updateHook", Method: "PUT", Path: one, Secrets: hookSecrets, Handle: hooked(h.updateHook)},
		{Operation: "deleteHook", Method: "DELETE", Path: one, Secrets: hookSecrets, Handle: hooked(h.deleteHook)},
		{Operation: "getHooksAdmin", Method: "GET", Path: "/hooks/admin", Secrets: hookSecrets, Handle: hooked(h.getHooksAdmin)},
		{Operation: "updateHooksAdmin", Method: "PUT", Path: "/hooks/admin", Handle: hooked(h.updateHooksAdmin)},
	}
}

var hookFields = api.Fields[cohort.HookUpdate]{
	"scope":       optional(func(u *cohort.HookUpdate) **string { return &u.Scope }, readShapeText[string]),
	"destination": optional(func(u *cohort.HookUpdate) **string { return &u.Destination }, readShapeText[string]),
	"is_active":   optional(func(u *cohort.HookUpdate) **bool { return &u.Active }, readShapeBool),
	"headers":     readHookHeaders,
	"id":          nil,
	"client_id":   nil,
	"store_hash":  nil,
	"created_at":  nil,
	"updated_at":  nil,
}

// readHookHeaders reads an object of strings, or null for none.
func readHookHeaders(into *cohort.HookUpdate, v api.Value) error {
	var headers map[string]string
	into.Headers = &headers
	if v.IsNull() {
		return nil
	}
	object, ok := v.Object()
	if !ok {
		return cohort.Invalid("", expectedObject)
	}
	headers = map[string]string{}
	for _, f := range object {
		value, err := readShapeText[string](f.Value)
		if err != nil {
			return err
		}
		headers[f.Name] = value
	}
	return nil
}

// hookWire is a webhook in responses, in the vendor's order.
type hookWire struct {
	ID          int64             `json:"id"`
	ClientID    string            `json:"client_id"`
	StoreHash   string            `json:"store_hash"`
	CreatedAt   int64             `json:"created_at"`
	UpdatedAt   int64             `json:"updated_at"`
	Scope       string            `json:"scope"`
	Destination string            `json:"destination"`
	Active      bool              `json:"is_active"`
	Headers     map[string]string `json:"headers"`
}

// hookToWire returns the function that gives the webhooks of a store their wire form.
func hookToWire(st cohort.Store) func(cohort.Hook) hookWire {
	return func(h cohort.Hook) hookWire {
		return hookWire{h.ID, h.ClientID, st.Hash, h.DateCreated.Unix(), h.DateModified.Unix(), h.Scope, h.Destination, h.Active, h.Headers}
	}
}

func writeHook(w http.ResponseWriter, r *api.Request, h cohort.Hook) error {
	return writeSingle(w, hookToWire(r.Store)(h))
}

func hookKey(h cohort.Hook) string { return strconv.FormatInt(h.ID, 10) }

var hookFilters = filters[cohort.HookFilter]{
	"is_active":   readHookActive,
	"scope":       api.TextFilter(func(f *cohort.HookFilter) **string { return &f.Scope }),
	"destination": api.TextFilter(func(f *cohort.HookFilter) **string { return &f.Destination }),
}

func readHookActive(f *cohort.HookFilter, value string) error {
	active := value == "true"
	if !active && value != "false" {
		return cohort.Invalid("", "The value must be true or false.")
	}
	f.Active = &active
	return nil
}

func (h *handler) listHooks(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeNumberQuery(r, hookFilters)
	if err != nil {
		return err
	}
	filter.ClientID = r.Client
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Hook]) (int64, error) {
		return h.svc.ReadHooks(ctx, r.Store.Key, filter, p, to)
	}
	return writeNumberList(w, r, page, read, hookToWire(r.Store), hookKey)
}

func (h *handler) createHook(w http.ResponseWriter, r *api.Request) error {
	u, err := decodeShape(r, hookFields, "scope", "destination")
	if err != nil {
		return err
	}
	created, err := h.svc.CreateHook(r.Context(), r.Store.Key, u.Apply(cohort.Hook{ClientID: r.Client, Active: true}))
	if err != nil {
		return err
	}
	return writeHook(w, r, created)
}

func (h *handler) getHook(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("webhook_id")
	if err != nil {
		return err
	}
	hook, err := h.svc.Hook(r.Context(), r.Store.Key, r.Client, id)
	if err != nil {
		return err
	}
	return writeHook(w, r, hook)
}

func (h *handler) updateHook(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("webhook_id")
	if err != nil {
		return err
	}
	u, err := decodeShape(r, hookFields)
	if err != nil {
		return err
	}
	if u.IsEmpty() {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "At least one of scope, destination, is_active and headers is required."}
	}
	hook, err := h.svc.UpdateHook(r.Context(), r.Store.Key, r.Client, id, u)
	if err != nil {
		return err
	}
	return writeHook(w, r, hook)
}

// deleteHook responds with the webhook as it was, as the vendor does.
func (h *handler) deleteHook(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("webhook_id")
	if err != nil {
		return err
	}
	hook, err := h.svc.DeleteHook(r.Context(), r.Store.Key, r.Client, id)
	if err != nil {
		return err
	}
	return writeHook(w, r, hook)
}

// hooked gives the errors of a handler the texts that the vendor has for webhooks.
func hooked(handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *api.Request) error {
		err := handle(w, r)
		if err == nil {
			return nil
		}
		return hookError(r, err)
	}
}

func hookError(r *api.Request, err error) error {
	id := r.PathValue("webhook_id")
	body := errorWire{Type: api.StatusType, Errors: map[string]string{}}
	if e, ok := errors.AsType[*api.HTTPError](err); ok && e.Status == http.StatusBadRequest {
		body.Status, body.Title, body.Errors[wholeBody] = e.Status, "Input is invalid.", e.Message
		return &customError{status: e.Status, body: body, err: err}
	}
	if _, ofDelivery := errors.AsType[noDelivery](err); !ofDelivery && id != "" && cohort.KindOf(err) == cohort.KindNotFound {
		body.Status, body.Title = http.StatusNotFound, "Webhook with id ["+id+"] not found"
		return &customError{status: body.Status, body: body, err: err}
	}
	if failed, ok := errors.AsType[failures](err); ok {
		return failed.withStops()
	}
	return err
}

// withStops returns the errors with the full stop that the vendor has after a missing path of
// webhooks, and of no other resource.
func (f failures) withStops() failures {
	stopped := slices.Clone(f)
	for i, e := range f {
		if e.Reason == pathMissing {
			located := *e
			located.Reason += "."
			stopped[i] = &located
		}
	}
	return stopped
}
