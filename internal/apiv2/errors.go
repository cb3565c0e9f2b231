package apiv2

import (
	"errors"
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// errorWire is the one element of the array that every V2 error is.
type errorWire struct {
	Status  int           `json:"status"`
	Message string        `json:"message"`
	Details *errorDetails `json:"details,omitempty"`
}

type errorDetails struct {
	InvalidReason string `json:"invalid_reason"`
}

// partialWire is the body of a 207, the one V2 error that is not an array.
type partialWire struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// The kinds' statuses and texts. An empty text is one that depends on the error.
// 422 never appears: two official clients take it for success.
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

// writeError is the one place where an error becomes a V2 answer.
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
	answer := errorWire{Status: known.status, Message: known.message}
	switch {
	case e.Kind != cohort.KindUnavailable:
	case e.Message == "":
		w.Header().Set("Retry-After", "1")
	default: // nothing that a client should do again by itself
		answer.Message = e.Message
	}
	if answer.Message == "" {
		answer.Message = message(e)
	}
	if e.Reason != "" {
		answer.Details = &errorDetails{e.Reason}
	}
	return write(w, answer)
}

// writeInternal says nothing but the id under which the log has the rest.
func writeInternal(w http.ResponseWriter) int {
	return write(w, errorWire{
		Status:  http.StatusInternalServerError,
		Message: "An internal error occurred. Request id: " + w.Header().Get("X-Request-Id"),
	})
}

func write(w http.ResponseWriter, e errorWire) int {
	// An errorWire always encodes.
	_ = api.WriteJSON(w, e.Status, []errorWire{e})
	return e.Status
}

func message(e *cohort.Error) string {
	if e.Message != "" {
		return e.Message
	}
	return fmt.Sprintf("The field '%s' is invalid.", e.Field)
}

// The refusals that V2 has a text of its own for.

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
