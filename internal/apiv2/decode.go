package apiv2

import (
	"errors"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// texts are the sentences with which V2 rejects values of the wrong type.
var texts = api.Texts{
	String:   "The provided value is not a string.",
	Bool:     "The provided value is not a boolean.",
	ID:       func(v api.Value) string { return fmt.Sprintf("The value '%s' is not a valid id.", v) },
	IDOrNone: "The provided value is not a valid id.",
	ElementID: func(v api.Value) string {
		return fmt.Sprintf("The value '%s' in the provided array is not a valid id.", v)
	},
	Amount: "The provided value is neither a number nor a numeric string.",
}

// decodeBody decodes the object in a request's body.
func decodeBody[T any](r *api.Request, fields api.Fields[T], required ...string) (T, error) {
	var into T
	object, err := r.ParseObject()
	if err != nil {
		return into, err
	}
	return into, decodeObject(object, &into, fields, required...)
}

// decodeObject decodes an object. It returns the first error: missing required
// fields come first, then the fields in the order of the body.
func decodeObject[T any](object api.Object, into *T, fields api.Fields[T], required ...string) error {
	return fields.Decode(object, into, required, rejectField)
}

// rejectField returns the error for a field.
func rejectField(name string, err error) error {
	switch {
	case errors.Is(err, api.ErrMissing):
		return missing(name)
	case errors.Is(err, api.ErrUnsupported):
		return unsupported(name)
	case errors.Is(err, api.ErrReadOnly):
		return readOnly(name)
	case errors.Is(err, api.ErrNull):
		return notNull(name)
	}
	return onField(name, err)
}

// onField adds the field to an error that does not have one. The error of a nested
// field keeps the nested field's name.
func onField(name string, err error) error {
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Field == "" {
		named := *e
		named.Field = name
		return &named
	}
	return err
}

func readText[S ~string](v api.Value) (S, error) { return api.ReadString[S](&texts, v) }

// readWord returns a readText for a field with a fixed set of words. It does not
// allocate for a known word. It accepts other strings, which validation rejects.
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

// readArray returns the elements of an array. Of an array with more than limit
// elements it returns the first limit+1.
func readArray(v api.Value, buf []api.Value, limit int) ([]api.Value, error) {
	values, ok := v.ArrayIn(buf, limit)
	if !ok {
		return nil, cohort.Invalid("", "The provided value is not a valid array.")
	}
	return values, nil
}

func readObject(v api.Value, buf api.Object) (api.Object, error) {
	object, ok := v.ObjectIn(buf)
	if !ok {
		return nil, cohort.Invalid("", "The provided value is not a valid object.")
	}
	return object, nil
}
