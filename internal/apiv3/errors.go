package apiv3

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// errorWire is a V3 error. Errors has a sentence for each path in the body, such as
// "0.price".
type errorWire struct {
	Status int               `json:"status"`
	Title  string            `json:"title"`
	Type   string            `json:"type"`
	Errors map[string]string `json:"errors"`
	Meta   any               `json:"meta,omitempty"`
}

// customError is an error with a response body of its own.
type customError struct {
	status int
	body   any
	err    error // for the log
}

func (c *customError) Error() string { return c.err.Error() }
func (c *customError) Unwrap() error { return c.err }

// titleInvalid is the title of errors about the fields of a body or query.
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

// wrongMethod sends the 405 of the catalog. Other paths have the 404 of an unknown path.
// Source: recordings of the vendor's service.
func wrongMethod(w http.ResponseWriter, path string) bool {
	if !strings.HasPrefix(path, "/catalog/") {
		return false
	}
	const status = http.StatusMethodNotAllowed
	_ = api.WriteJSON(w, status, struct { // encoding cannot fail
		Status int    `json:"status"`
		Title  string `json:"title"`
		Type   string `json:"type"`
		Detail string `json:"detail"`
	}{status, "Method Not Allowed", api.StatusType, "The requested HTTP method is invalid for this endpoint."})
	return true
}

// writeError sends the V3 response for an error. All V3 errors pass through it.
func writeError(w http.ResponseWriter, err error) int {
	if c, ok := errors.AsType[*customError](err); ok {
		_ = api.WriteJSON(w, c.status, c.body) // encoding cannot fail
		return c.status
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
	body := described(known.status, known.title, err, e)
	if e.Kind == cohort.KindUnavailable && e.Message == "" { // with a message, clients should not retry automatically
		w.Header().Set("Retry-After", "1")
	}
	return write(w, body)
}

// writeStatus sends an error of any status.
func writeStatus(w http.ResponseWriter, status int, title string, errs map[string]string) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if status == http.StatusInternalServerError && title == "" {
		writeInternal(w)
		return
	}
	text := cmp.Or(title, http.StatusText(status))
	for _, known := range kinds {
		if known.status == status {
			text = cmp.Or(title, known.title)
		}
	}
	write(w, errorWire{Status: status, Title: text, Errors: errs})
}

// described returns the body for an error, whose first cohort.Error is e.
func described(status int, title string, err error, e *cohort.Error) errorWire {
	body := errorWire{Status: status, Title: title, Errors: fieldErrors(err)}
	if _, ofItem := errors.AsType[cohort.ItemErrors](err); e.Message != "" && e.Kind != cohort.KindNotFound && !ofItem {
		body.Title = e.Message
	}
	if reason := body.Errors[""]; reason != "" { // the error has no path
		body.Title = reason
		delete(body.Errors, "")
	}
	return body
}

// fieldErrors returns the sentences of an error by their paths in the body.
func fieldErrors(err error) map[string]string {
	reasons := map[string]string{}
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok { // before failures, because an item's error may be failures
		for _, i := range slices.Sorted(maps.Keys(items)) {
			wrong := fieldErrors(items[i])
			if len(wrong) == 0 {
				wrong[""] = sentence(items[i])
			}
			for path, reason := range wrong {
				reasons[join(strconv.Itoa(i), path)] = reason
			}
		}
		return reasons
	}
	if f, ok := errors.AsType[failures](err); ok {
		for _, one := range f {
			reasons[one.Field] = one.Reason
		}
		return reasons
	}
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Reason != "" {
		reasons[e.Field] = e.Reason
	}
	return reasons
}

// sentence returns the text for an item's error without a reason.
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

// join joins two paths.
func join(outer, inner string) string {
	switch {
	case outer == "":
		return inner
	case inner == "":
		return outer
	}
	return outer + "." + inner
}

// writeInternal sends only the request id, with which the error is in the log.
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
	_ = api.WriteJSON(w, e.Status, e) // encoding cannot fail
	return e.Status
}
