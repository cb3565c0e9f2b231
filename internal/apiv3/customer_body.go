package apiv3

import (
	"errors"
	"fmt"
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// The customer resources reject a body for one of two reasons. If its shape is wrong,
// because a field is missing or has another JSON type, the title is titleInvalid, the
// values are words of the Play framework, such as "error.path.missing", and the paths
// have no index. If a value breaks a rule, the title names the operation (see
// withTitle), the values are sentences, and the paths begin with the index of the item.
// Source: recordings; docs/wire.md has them.

// The words for errors in the shape of a body.
const (
	pathMissing     = "error.path.missing"
	expectedArray   = "error.expected.jsarray"
	expectedObject  = "error.expected.jsobject"
	expectedString  = "error.expected.jsstring"
	expectedNumber  = "error.expected.jsnumber"
	expectedBoolean = "error.expected.jsboolean"
	expectedInt     = "error.expected.int"
)

// wholeBody is the path of an error about the body itself, or about an item of it.
const wholeBody = "obj"

// decodeShape decodes a body, which must be an object.
func decodeShape[T any](r *api.Request, fields api.Fields[T], required ...string) (T, error) {
	var into T
	v, err := parseBody(r)
	if err != nil {
		return into, err
	}
	return into, ofWholeBody(readShape(v, &into, fields, required...))
}

// decodeShapes decodes a body, which must be an array of 1 to limit objects. tooMany is
// the status for a longer one.
func decodeShapes[T any](r *api.Request, limit, tooMany int, fields api.Fields[T], required ...string) ([]T, error) {
	v, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	values, ok := v.ArrayIn(nil, limit)
	switch {
	case !ok:
		return nil, ofWholeBody(failures{cohort.Invalid("", expectedArray)})
	case len(values) == 0:
		return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: "The request body is an empty array."}
	case len(values) > limit:
		return nil, &api.HTTPError{Status: tooMany, Message: fmt.Sprintf("Max batch size allowed is %d", limit)}
	}
	items, err := readShapes(values, fields, required...)
	return items, ofWholeBody(err)
}

// ofWholeBody gives the errors in the shape of a body that have no path the path of the
// body. Inside of the body, a part that is no object has a path of its own.
func ofWholeBody(err error) error {
	failed, _ := errors.AsType[failures](err)
	for i, e := range failed {
		if e.Field == "" {
			located := *e
			located.Field = wholeBody
			failed[i] = &located
		}
	}
	return err
}

// readShapes decodes objects. It returns the errors of all of them.
func readShapes[T any](values []api.Value, fields api.Fields[T], required ...string) ([]T, error) {
	items := make([]T, len(values))
	var failed failures
	for i, v := range values {
		if err := readShape(v, &items[i], fields, required...); err != nil {
			failed.add("", err)
		}
	}
	return items, failed.err()
}

// readShape decodes an object. It returns all errors as failures.
func readShape[T any](v api.Value, into *T, fields api.Fields[T], required ...string) error {
	object, ok := v.Object()
	if !ok {
		return failures{cohort.Invalid("", expectedObject)}
	}
	var failed failures
	err := fields.Decode(object, into, required, func(name string, err error) error {
		switch {
		case errors.Is(err, api.ErrMissing), errors.Is(err, api.ErrNull):
			err = cohort.Invalid("", pathMissing)
		case errors.Is(err, api.ErrReadOnly): // a client may send back what it has read
			return nil
		case errors.Is(err, api.ErrUnsupported):
			err = cohort.Invalid("", "The field is not supported.")
		}
		failed.add(name, err)
		return nil
	})
	if err != nil {
		return err
	}
	return failed.err()
}

// withTitle gives an error about the values of a body the title of the operation.
func withTitle(title string, err error) error {
	if cohort.KindOf(err) != cohort.KindInvalid {
		return err
	}
	return &customError{status: http.StatusUnprocessableEntity, err: err, body: errorWire{
		Status: http.StatusUnprocessableEntity, Title: title, Type: api.StatusType, Errors: fieldErrors(err),
	}}
}

// optional returns the function for a field of type *V, which stays nil when the body
// does not have the field or has null.
func optional[T, V any](field func(*T) **V, read func(api.Value) (V, error)) func(*T, api.Value) error {
	return nullable(field, func(v api.Value) (*V, error) {
		value, err := read(v)
		return &value, err
	})
}

// The functions below read values by their JSON type: a number in quotes is a string.

func readShapeText[S ~string](v api.Value) (S, error) {
	s, ok := v.Text()
	if !ok {
		return "", cohort.Invalid("", expectedString)
	}
	return S(s), nil
}

func readShapeBool(v api.Value) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return false, cohort.Invalid("", expectedBoolean)
	}
	return b, nil
}

// readShapeInt reads a whole number that fits into an int64.
func readShapeInt(v api.Value) (int64, error) {
	if _, isText := v.Text(); isText {
		return 0, cohort.Invalid("", expectedNumber)
	}
	if _, isNumber := v.Number(); !isNumber {
		return 0, cohort.Invalid("", expectedNumber)
	}
	n, ok := v.Int()
	if !ok {
		return 0, cohort.Invalid("", expectedInt)
	}
	return n, nil
}

// readShapeAmount reads a JSON number.
func readShapeAmount(v api.Value) (decimal.Decimal, error) {
	if _, isText := v.Text(); isText {
		return decimal.Decimal{}, cohort.Invalid("", expectedNumber)
	}
	text, isNumber := v.Number()
	if !isNumber {
		return decimal.Decimal{}, cohort.Invalid("", expectedNumber)
	}
	return cohort.ParseAmount(text)
}

// readShapeArray reads an array of at most limit+1 values: limit+1 means that the array
// is too long.
func readShapeArray(v api.Value, limit int) ([]api.Value, error) {
	values, ok := v.ArrayIn(nil, limit)
	if !ok {
		return nil, cohort.Invalid("", expectedArray)
	}
	return values, nil
}
