package control

import (
	"encoding/json"
	"errors"
	"fmt"
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
	return readLongJSON(w, r, into, maxBody)
}

// readLongJSON is readJSON for a body of at most most bytes.
func readLongJSON(w http.ResponseWriter, r *http.Request, into any, most int64) error {
	text, err := readText(w, r, most)
	if err != nil {
		return err
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

// readText reads a body of at most most bytes.
func readText(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &problem{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("The body is larger than %d MiB.", most>>20)}
	}
	if err != nil {
		return nil, &problem{status: http.StatusBadRequest, detail: "The body broke off."}
	}
	return text, nil
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
