package apiv3

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// errorWire is every V3 error. Values of errors are sentences, by the place in
// the body, such as "0.price".
type errorWire struct {
	Status int               `json:"status"`
	Title  string            `json:"title"`
	Type   string            `json:"type"`
	Errors map[string]string `json:"errors"`
	Meta   any               `json:"meta,omitempty"`
}

// refusal is an answer that a handler has the whole of.
type refusal struct {
	status int
	body   any
	err    error // for the log
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// titleInvalid is the title of all errors about what was sent.
const titleInvalid = "JSON data is missing or invalid"

var kinds = map[cohort.Kind]struct {
	status int
	title  string
}{
	cohort.KindInvalid:     {http.StatusUnprocessableEntity, titleInvalid},
	cohort.KindNotFound:    {http.StatusNotFound, "The requested resource was not found."},
	cohort.KindConflict:    {http.StatusConflict, "A resource conflict prevented the request from being fulfilled."},
	cohort.KindTooLarge:    {http.StatusRequestEntityTooLarge, "What was asked for is too large."},
	cohort.KindUnavailable: {http.StatusServiceUnavailable, "The service is unavailable for the moment. Please try again."},
}

// writeError is the one place where an error becomes a V3 answer.
func writeError(w http.ResponseWriter, err error) int {
	if r, ok := errors.AsType[*refusal](err); ok {
		_ = api.WriteJSON(w, r.status, r.body) // it always encodes
		return r.status
	}
	if e, ok := errors.AsType[*api.HTTPError](err); ok {
		return write(w, errorWire{Status: e.Status, Title: e.Message})
	}
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok {
		return writeInternal(w)
	}
	known, ok := kinds[e.Kind]
	if !ok {
		return writeInternal(w)
	}
	answer := errorWire{Status: known.status, Title: known.title, Errors: fieldErrors(err)}
	if _, ofItem := errors.AsType[cohort.ItemErrors](err); e.Message != "" && e.Kind != cohort.KindNotFound && !ofItem {
		answer.Title = e.Message
	}
	if reason := answer.Errors[""]; reason != "" { // it is about no place
		answer.Title = reason
		delete(answer.Errors, "")
	}
	if e.Kind == cohort.KindUnavailable && e.Message == "" { // with a message it is nothing to do again by itself
		w.Header().Set("Retry-After", "1")
	}
	return write(w, answer)
}

// fieldErrors is what is wrong, by the place in the body.
func fieldErrors(err error) map[string]string {
	places := map[string]string{}
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok { // first, for each item may have failures
		for _, i := range slices.Sorted(maps.Keys(items)) {
			wrong := fieldErrors(items[i])
			if len(wrong) == 0 {
				wrong[""] = sentence(items[i])
			}
			for place, reason := range wrong {
				places[join(strconv.Itoa(i), place)] = reason
			}
		}
		return places
	}
	if f, ok := errors.AsType[failures](err); ok {
		for _, one := range f {
			places[one.Field] = one.Reason
		}
		return places
	}
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Reason != "" {
		places[e.Field] = e.Reason
	}
	return places
}

// sentence is what an item's error says that names no reason.
func sentence(err error) string {
	e, ok := errors.AsType[*cohort.Error](err)
	switch {
	case ok && e.Kind != cohort.KindInternal && e.Message != "":
		return e.Message
	case ok && kinds[e.Kind].title != "":
		return kinds[e.Kind].title
	}
	return "An internal error occurred."
}

// join puts a place inside another.
func join(outer, inner string) string {
	switch {
	case outer == "":
		return inner
	case inner == "":
		return outer
	}
	return outer + "." + inner
}

// writeInternal says nothing but the id under which the log has the rest.
func writeInternal(w http.ResponseWriter) int {
	return write(w, errorWire{
		Status: http.StatusInternalServerError,
		Title:  "An internal error occurred. Request id: " + w.Header().Get("X-Request-Id"),
	})
}

func write(w http.ResponseWriter, e errorWire) int {
	e.Type = api.StatusType
	if e.Errors == nil {
		e.Errors = map[string]string{}
	}
	_ = api.WriteJSON(w, e.Status, e) // an errorWire always encodes
	return e.Status
}
