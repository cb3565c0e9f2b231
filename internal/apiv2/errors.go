package apiv2

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// errorWire is the only element of the array that is the body of a V2 error.
type errorWire struct {
	Status  int           `json:"status"`
	Message string        `json:"message"`
	Details *errorDetails `json:"details,omitempty"`
}

type errorDetails struct {
	InvalidReason string `json:"invalid_reason"`
}

// partialWire is the body of a 207, the only V2 error that is not an array.
type partialWire struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// kinds has the status and message of each kind of error. An empty message means
// that it depends on the error. V2 never sends 422: two official clients treat it as
// success.
var kinds = map[cohort.Kind]struct {
	status  int
	message string
}{
	cohort.KindInvalid:     {http.StatusBadRequest, ""},
	cohort.KindNotFound:    {http.StatusNotFound, "The requested resource was not found."},
	cohort.KindConflict:    {http.StatusConflict, "A resource conflict prevented the request from being fulfilled."},
	cohort.KindTooLarge:    {http.StatusRequestEntityTooLarge, ""},
	cohort.KindUnavailable: {http.StatusServiceUnavailable, "The service is unavailable for the moment. Please try again."},
}

// writeError sends the V2 response for an error. All V2 errors pass through it.
func writeError(w http.ResponseWriter, err error) int {
	if e, ok := errors.AsType[*api.HTTPError](err); ok {
		return write(w, errorWire{Status: e.Status, Message: e.Message})
	}
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok {
		return writeInternal(w)
	}
	if e.Kind == cohort.KindPartial {
		_ = api.WriteJSON(w, http.StatusMultiStatus, partialWire{http.StatusMultiStatus, e.Message})
		return http.StatusMultiStatus
	}
	known, ok := kinds[e.Kind]
	if !ok {
		return writeInternal(w)
	}
	body := errorWire{Status: known.status, Message: known.message}
	switch {
	case e.Kind != cohort.KindUnavailable:
	case e.Message == "":
		w.Header().Set("Retry-After", "1")
	default: // clients should not retry automatically
		body.Message = e.Message
	}
	if body.Message == "" {
		body.Message = message(e)
	}
	if e.Reason != "" {
		body.Details = &errorDetails{e.Reason}
	}
	return write(w, body)
}

// writeStatus sends an error of any status. Each field has its own element of the array.
func writeStatus(w http.ResponseWriter, status int, title string, errs map[string]string) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	text := cmp.Or(title, http.StatusText(status))
	for _, known := range kinds {
		if known.status == status {
			text = cmp.Or(title, known.message, text)
		}
	}
	if status == http.StatusInternalServerError && title == "" {
		writeInternal(w)
		return
	}
	list := []errorWire{{Status: status, Message: text}}
	if len(errs) > 0 {
		list = nil
	}
	for _, field := range slices.Sorted(maps.Keys(errs)) {
		list = append(list, errorWire{status, cmp.Or(title, message(&cohort.Error{Field: field})), &errorDetails{errs[field]}})
	}
	_ = api.WriteJSON(w, status, list) // encoding cannot fail
}

// writeInternal sends only the request id, with which the error is in the log.
func writeInternal(w http.ResponseWriter) int {
	return write(w, errorWire{
		Status:  http.StatusInternalServerError,
		Message: "An internal error occurred. Request id: " + w.Header().Get("X-Request-Id"),
	})
}

func write(w http.ResponseWriter, e errorWire) int {
	// Encoding an errorWire cannot fail.
	_ = api.WriteJSON(w, e.Status, []errorWire{e})
	return e.Status
}

func message(e *cohort.Error) string {
	if e.Message != "" {
		return e.Message
	}
	return fmt.Sprintf("The field '%s' is invalid.", e.Field)
}

// V2 has a message of its own for each of these errors.

func missing(field string) error {
	return fieldError(field, "The required field '%s' was not supplied.")
}

func unsupported(field string) error {
	return fieldError(field, "The field '%s' is not supported by this resource.")
}

func readOnly(field string) error {
	return fieldError(field, "The field '%s' cannot be written to. Please remove it from your request before trying again.")
}

func notNull(field string) error {
	return fieldError(field, "The field '%s' does not allow null values.")
}

func fieldError(field, text string) error {
	return &cohort.Error{Kind: cohort.KindInvalid, Field: field, Message: fmt.Sprintf(text, field)}
}
