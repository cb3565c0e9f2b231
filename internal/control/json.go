package control

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// maxBody bounds the body of a request.
const maxBody = 1 << 20

// readJSON reads the body of a request into a pointer to a struct. An empty body leaves it
// as it is.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &problem{status: http.StatusRequestEntityTooLarge, detail: "The body is larger than 1 MiB."}
	}
	if err != nil {
		return &problem{status: http.StatusBadRequest, detail: "The body broke off."}
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return jsonProblem(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &problem{status: http.StatusBadRequest, detail: "The body has more than one JSON value."}
	}
	return nil
}

// jsonProblem returns the problem of a body that does not fit.
func jsonProblem(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &problem{status: http.StatusUnprocessableEntity, field: wrong.Field, detail: "The value must be " + typeName(wrong.Type) + "."}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		field, _ := strconv.Unquote(name)
		return &problem{status: http.StatusUnprocessableEntity, field: field, detail: "There is no such field."}
	}
	return &problem{status: http.StatusBadRequest, detail: "The body is not valid JSON."}
}

// typeName names a type of JSON as the sentences of errors do.
func typeName(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // bodies have no other types
	case reflect.String:
		return "a string"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number that is not too large"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
}

// writeJSON sends a value.
func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // responses are structs of strings and numbers
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a write fails when the client has disconnected
}

func writeOK(w http.ResponseWriter, status int, v any) error {
	writeJSON(w, status, "application/json", v)
	return nil
}
