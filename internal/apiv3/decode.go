package apiv3

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// failures is everything that is wrong with a body. Unlike V2, V3 tells all of
// it at once.
type failures []*cohort.Error

func (f failures) Error() string { return fmt.Sprintf("%d mistakes, the first: %v", len(f), f[0]) }

// Unwrap makes its kind KindInvalid, unless something of it is our own fault.
func (f failures) Unwrap() error {
	for _, e := range f {
		if e.Kind == cohort.KindInternal {
			return e
		}
	}
	return f[0]
}

// add notes an error about what is at a place of the body.
func (f *failures) add(place string, err error) {
	if inner, ok := errors.AsType[failures](err); ok {
		for _, e := range inner {
			f.add(place, e)
		}
		return
	}
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		for _, i := range slices.Sorted(maps.Keys(items)) {
			f.add(join(place, strconv.Itoa(i)), items[i])
		}
		return
	}
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok {
		e = &cohort.Error{Kind: cohort.KindInternal, Err: err}
	}
	if len(*f) >= maxFailures && e.Kind == cohort.KindInvalid {
		return
	}
	placed := *e
	placed.Field = join(place, e.Field)
	*f = append(*f, &placed)
}

// maxFailures bounds what an answer says about a body. One of a megabyte can have
// a hundred thousand mistakes.
const maxFailures = 10_000

// err returns the failures as an error, nil if there are none.
func (f failures) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// fields is what the bodies of a resource may hold: for each field, how its
// value gets into a T. A nil function marks a field that only answers have; it
// is ignored, so that what was read can be changed and sent back.
type fields[T any] map[string]func(into *T, v api.Value) error

// decodeBody decodes a request's body, an object, into a T by the table.
func decodeBody[T any](r *api.Request, table fields[T], required ...string) (T, error) {
	var into T
	v, err := parseBody(r)
	if err != nil {
		return into, err
	}
	return into, decodeObject(v, &into, table, required...)
}

// decodeBatch decodes a request's body, an array of 1 to most objects, into Ts by
// the table. What is wrong is named by the places in the array.
func decodeBatch[T any](r *api.Request, most int, table fields[T], required ...string) ([]T, error) {
	v, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	values, ok := v.Array()
	switch {
	case !ok:
		return nil, &api.HTTPError{Status: http.StatusBadRequest, Message: "The request body must be a JSON array."}
	case len(values) == 0:
		return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: "The request body is an empty array."}
	case len(values) > most:
		return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf("A request may have at most %d items.", most)}
	}
	return decodeArray(values, table, required...)
}

// decodeArray reads objects into Ts by the table.
func decodeArray[T any](values []api.Value, table fields[T], required ...string) ([]T, error) {
	items := make([]T, len(values))
	var failed failures
	for i, v := range values {
		if err := decodeObject(v, &items[i], table, required...); err != nil {
			failed.add(strconv.Itoa(i), err)
		}
	}
	return items, failed.err()
}

// parseBody parses a body that is JSON, or says with 400 where it is not.
func parseBody(r *api.Request) (api.Value, error) {
	v, err := api.ParseValue(r.Body)
	if e, ok := errors.AsType[*cohort.Error](err); ok {
		return v, &api.HTTPError{Status: http.StatusBadRequest, Message: e.Message}
	}
	return v, err
}

// decodeObject reads an object by the table. It returns failures, the missing
// fields first and then those of the body in its order.
func decodeObject[T any](v api.Value, into *T, table fields[T], required ...string) error {
	object, ok := v.Object()
	if !ok {
		return cohort.Invalid("", "The value must be an object.")
	}
	var failed failures
	for _, name := range required {
		if !object.Has(name) {
			failed.add(name, cohort.Invalid("", "The field is required."))
		}
	}
	for _, m := range object {
		set, known := table[m.Name]
		if !known {
			failed.add(m.Name, cohort.Invalid("", "The field is not supported."))
			continue
		}
		if set == nil {
			continue
		}
		if err := set(into, m.Value); err != nil {
			failed.add(m.Name, err)
		}
	}
	return failed.err()
}

// plain makes a table entry for a field of type V, read with read. It must not
// be null.
func plain[T, V any](field func(*T) *V, read func(api.Value) (V, error)) func(*T, api.Value) error {
	return func(into *T, v api.Value) (err error) {
		if v.IsNull() {
			return cohort.Invalid("", "The value must not be null.")
		}
		*field(into), err = read(v)
		return err
	}
}

// optional makes a table entry for a field of type *V, nil when absent.
func optional[T, V any](field func(*T) **V, read func(api.Value) (V, error)) func(*T, api.Value) error {
	return plain(field, func(v api.Value) (*V, error) {
		value, err := read(v)
		return &value, err
	})
}

// The readers of values. Their errors name no field: decodeObject does.

func readText[S ~string](v api.Value) (S, error) {
	s, ok := v.Text()
	if !ok {
		return "", cohort.Invalid("", "The value must be a string.")
	}
	return S(s), nil
}

func readBool(v api.Value) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return false, cohort.Invalid("", "The value must be true or false.")
	}
	return b, nil
}

// readID reads an id.
func readID(v api.Value) (int64, error) {
	id, ok := v.Int()
	if !ok || id < 1 {
		return 0, cohort.Invalid("", "The value must be an id, which is a whole number from 1.")
	}
	return id, nil
}

// readIDOrNone reads an id, or 0 for none.
func readIDOrNone(v api.Value) (int64, error) {
	id, ok := v.Int()
	if !ok || id < 0 {
		return 0, cohort.Invalid("", "The value must be an id, or 0 for none.")
	}
	return id, nil
}

func readIDs(v api.Value) ([]int64, error) {
	values, ok := v.Array()
	if !ok {
		return nil, cohort.Invalid("", "The value must be an array of ids.")
	}
	ids := make([]int64, len(values))
	for i, v := range values {
		var err error
		if ids[i], err = readID(v); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// readAmount reads an amount of money or of per cent, as a number or as a
// numeric string.
func readAmount(v api.Value) (decimal.Decimal, error) {
	text, ok := v.Number()
	if !ok {
		return decimal.Decimal{}, cohort.Invalid("", "The value must be a number.")
	}
	d, err := cohort.ParseAmount(text)
	if err != nil {
		return d, cohort.Invalid("", "The value must be a number.")
	}
	return d, nil
}

// price makes a table entry for a price that may be missing, which null and ""
// both say.
func price[T any](field func(*T) *decimal.NullDecimal) func(*T, api.Value) error {
	return func(into *T, v api.Value) error {
		if v.IsNull() || v.Is("") {
			*field(into) = decimal.NullDecimal{}
			return nil
		}
		d, err := readAmount(v)
		*field(into) = decimal.NewNullDecimal(d)
		return err
	}
}
