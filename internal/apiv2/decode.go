package apiv2

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// fields is what the bodies of a resource may hold: for each field, how its
// value gets into a T. A nil function marks a field that only answers have.
type fields[T any] map[string]func(into *T, v api.Value) error

// decodeBody decodes a request's body into a T by the table.
func decodeBody[T any](r *api.Request, table fields[T], required ...string) (T, error) {
	var into T
	object, err := api.ParseObject(r.Body)
	if err != nil {
		return into, err
	}
	return into, decodeObject(object, &into, table, required...)
}

// decodeObject reads an object by the table. The first failure counts: missing
// required fields come first, then the fields in the order of the body.
func decodeObject[T any](object api.Object, into *T, table fields[T], required ...string) error {
	for _, name := range required {
		if !object.Has(name) {
			return missing(name)
		}
	}
	for _, m := range object {
		if err := decodeMember(m, into, table); err != nil {
			return err
		}
	}
	return nil
}

func decodeMember[T any](m api.Member, into *T, table fields[T]) error {
	set, known := table[m.Name]
	switch {
	case !known:
		return unsupported(m.Name)
	case set == nil:
		return readOnly(m.Name)
	case m.Value.IsNull():
		return notNull(m.Name)
	}
	return onField(m.Name, set(into, m.Value))
}

// onField names the field in an error that does not name one yet, which leaves
// a nested field's own name in place.
func onField(name string, err error) error {
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Field == "" {
		named := *e
		named.Field = name
		return &named
	}
	return err
}

// plain makes a table entry for a field of type V, read with read.
func plain[T, V any](field func(*T) *V, read func(api.Value) (V, error)) func(*T, api.Value) error {
	return func(into *T, v api.Value) (err error) {
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

// The readers of values. Their errors name no field: decodeMember does.

func readText[S ~string](v api.Value) (S, error) {
	s, ok := v.Text()
	if !ok {
		return "", cohort.Invalid("", "The provided value is not a string.")
	}
	return S(s), nil
}

// readWord is readText for a field that holds one of these words, or a mistake.
// A word that is known needs no memory of its own.
func readWord[S ~string](known ...S) func(api.Value) (S, error) {
	return func(v api.Value) (S, error) {
		for _, word := range known {
			if v.Is(string(word)) {
				return word, nil
			}
		}
		return readText[S](v)
	}
}

func readBool(v api.Value) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return false, cohort.Invalid("", "The provided value is not a boolean.")
	}
	return b, nil
}

func readID(v api.Value) (int64, error) {
	id, ok := v.Int()
	if !ok || id < 1 {
		return 0, cohort.Invalid("", fmt.Sprintf("The value '%s' is not a valid id.", v))
	}
	return id, nil
}

// readIDOrNone reads an id, or 0 for none.
func readIDOrNone(v api.Value) (int64, error) {
	id, ok := v.Int()
	if !ok || id < 0 {
		return 0, cohort.Invalid("", "The provided value is not a valid id.")
	}
	return id, nil
}

func readIDs(values []api.Value) ([]int64, error) {
	ids := make([]int64, len(values))
	for i, v := range values {
		id, ok := v.Int()
		if !ok || id < 1 {
			return nil, cohort.Invalid("", fmt.Sprintf("The value '%s' in the provided array is not a valid id.", v))
		}
		ids[i] = id
	}
	return ids, nil
}

// readArray returns the elements of an array, and of a longer one the first most+1.
func readArray(v api.Value, room []api.Value, most int) ([]api.Value, error) {
	values, ok := v.ArrayIn(room, most)
	if !ok {
		return nil, cohort.Invalid("", "The provided value is not a valid array.")
	}
	return values, nil
}

func readObject(v api.Value, room api.Object) (api.Object, error) {
	object, ok := v.ObjectIn(room)
	if !ok {
		return nil, cohort.Invalid("", "The provided value is not a valid object.")
	}
	return object, nil
}

func readAmount(v api.Value) (decimal.Decimal, error) {
	text, ok := v.Number()
	if !ok {
		return decimal.Decimal{}, cohort.Invalid("", "The provided value is neither a number nor a numeric string.")
	}
	return cohort.ParseAmount(text)
}
