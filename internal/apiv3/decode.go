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

// failures are all the errors in a body or query. V3 reports all of them, V2 only
// the first.
type failures []*cohort.Error

func (f failures) Error() string { return fmt.Sprintf("%d errors, the first: %v", len(f), f[0]) }

// Unwrap returns an internal error if there is one, else the first error, which is
// KindInvalid.
func (f failures) Unwrap() error {
	for _, e := range f {
		if e.Kind == cohort.KindInternal {
			return e
		}
	}
	return f[0]
}

// add adds an error about the part of the body at a path, such as "0.price".
func (f *failures) add(path string, err error) {
	if inner, ok := errors.AsType[failures](err); ok {
		for _, e := range inner {
			f.add(path, e)
		}
		return
	}
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		for _, i := range slices.Sorted(maps.Keys(items)) {
			f.add(join(path, strconv.Itoa(i)), items[i])
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
	located := *e
	located.Field = join(path, e.Field)
	*f = append(*f, &located)
}

// maxFailures is how many errors a response reports. A body of one megabyte can have
// a hundred thousand.
const maxFailures = 10_000

// err returns the failures as an error, nil if there are none.
func (f failures) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// texts are the sentences with which V3 rejects values of the wrong type.
var texts = api.Texts{
	String:    "The value must be a string.",
	Bool:      "The value must be true or false.",
	ID:        idText,
	IDOrNone:  "The value must be an id, or 0 for none.",
	ElementID: idText,
	Amount:    "The value must be a number.",
	Malformed: "The value must be a number.",
}

func idText(api.Value) string { return "The value must be an id, which is a whole number from 1." }

// decodeBody decodes a request's body, which must be an object.
func decodeBody[T any](r *api.Request, fields api.Fields[T], required ...string) (T, error) {
	var into T
	v, err := parseBody(r)
	if err != nil {
		return into, err
	}
	return into, decodeObject(v, &into, fields, required...)
}

// decodeBatch decodes a request's body, which must be an array of 1 to limit
// objects. The paths of its errors begin with the index in the array.
func decodeBatch[T any](r *api.Request, limit int, fields api.Fields[T], required ...string) ([]T, error) {
	v, err := parseBody(r)
	if err != nil {
		return nil, err
	}
	values, err := batchValues(v, limit)
	if err != nil {
		return nil, err
	}
	return decodeArray(values, fields, required...)
}

// batchValues returns the values of a body, which must be an array of 1 to limit values.
func batchValues(v api.Value, limit int) ([]api.Value, error) {
	values, ok := v.Array()
	switch {
	case !ok:
		return nil, &api.HTTPError{Status: http.StatusBadRequest, Message: "The request body must be a JSON array."}
	case len(values) == 0:
		return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: "The request body is an empty array."}
	case len(values) > limit:
		return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf("A request may have at most %d items.", limit)}
	}
	return values, nil
}

// decodeArray decodes objects. The paths of its errors begin with the index.
func decodeArray[T any](values []api.Value, fields api.Fields[T], required ...string) ([]T, error) {
	items := make([]T, len(values))
	var failed failures
	for i, v := range values {
		if err := decodeObject(v, &items[i], fields, required...); err != nil {
			failed.add(strconv.Itoa(i), err)
		}
	}
	return items, failed.err()
}

// parseBody parses a body. If it is not JSON, the error is a 400 that says where.
func parseBody(r *api.Request) (api.Value, error) {
	v, err := r.ParseValue()
	if e, ok := errors.AsType[*cohort.Error](err); ok {
		return v, &api.HTTPError{Status: http.StatusBadRequest, Message: e.Message}
	}
	return v, err
}

// decodeObject decodes an object. It returns all errors as failures: missing fields
// first, then the fields in the order of the body.
func decodeObject[T any](v api.Value, into *T, fields api.Fields[T], required ...string) error {
	object, ok := v.Object()
	if !ok {
		return cohort.Invalid("", "The value must be an object.")
	}
	var failed failures
	if err := fields.Decode(object, into, required, failed.addField); err != nil {
		return err
	}
	return failed.err()
}

// addField adds an error about a field. It ignores read-only fields, so that a client
// can change a resource that it has read and send it back. It returns nil, which
// tells Decode to continue.
func (f *failures) addField(name string, err error) error {
	switch {
	case errors.Is(err, api.ErrMissing):
		f.add(name, cohort.Invalid("", "The field is required."))
	case errors.Is(err, api.ErrUnsupported):
		f.add(name, cohort.Invalid("", "The field is not supported."))
	case errors.Is(err, api.ErrNull):
		f.add(name, cohort.Invalid("", "The value must not be null."))
	case errors.Is(err, api.ErrReadOnly):
	default:
		f.add(name, err)
	}
	return nil
}

func readText[S ~string](v api.Value) (S, error) { return api.ReadString[S](&texts, v) }

func readIDs(v api.Value) ([]int64, error) {
	values, ok := v.Array()
	if !ok {
		return nil, cohort.Invalid("", "The value must be an array of ids.")
	}
	return texts.ReadIDs(values)
}

// price returns the function for a price that may be unset. null and "" unset it.
func price[T any](field func(*T) *decimal.NullDecimal) func(*T, api.Value) error {
	return func(into *T, v api.Value) error {
		if v.IsNull() || v.Is("") {
			*field(into) = decimal.NullDecimal{}
			return nil
		}
		d, err := texts.ReadAmount(v)
		*field(into) = decimal.NewNullDecimal(d)
		return err
	}
}
