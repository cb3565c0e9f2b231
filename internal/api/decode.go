package api

import (
	"errors"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// Fields has the fields that the bodies of a resource may have. Each function
// reads the value of one field into a T. A nil function marks a field that only
// responses have. The functions return errors without a field name.
type Fields[T any] map[string]func(into *T, v Value) error

// The errors with which Decode reports a field, besides those of the functions.
// The dialects have texts of their own for them.
var (
	ErrMissing     = errors.New("the field is required")
	ErrUnsupported = errors.New("the field is not supported")
	ErrReadOnly    = errors.New("the field is read-only")
	ErrNull        = errors.New("the field must not be null")
)

// Decode reads an object into a T. It calls failed for each field that is wrong:
// first for the required fields that are missing, then in the order of the object.
// When failed returns an error, Decode stops and returns this error.
func (f Fields[T]) Decode(o Object, into *T, required []string, failed func(field string, err error) error) error {
	for _, name := range required {
		if o.Has(name) {
			continue
		}
		if err := failed(name, ErrMissing); err != nil {
			return err
		}
	}
	for _, m := range o {
		err := f.decodeMember(m, into)
		if err == nil {
			continue
		}
		if err := failed(m.Name, err); err != nil {
			return err
		}
		if errors.Is(err, ErrReadOnly) {
			m.Value.unread.ignore(m.Name)
		}
	}
	return nil
}

func (f Fields[T]) decodeMember(m Member, into *T) error {
	read, known := f[m.Name]
	switch {
	case !known:
		return ErrUnsupported
	case read == nil:
		return ErrReadOnly
	}
	m.Value.unread.enter(m.Name)
	err := read(into, m.Value)
	m.Value.unread.leave()
	return err
}

// Plain returns the function for a field of type V. It rejects null.
func Plain[T, V any](field func(*T) *V, read func(Value) (V, error)) func(*T, Value) error {
	return func(into *T, v Value) (err error) {
		if v.IsNull() {
			return ErrNull
		}
		*field(into), err = read(v)
		return err
	}
}

// Optional returns the function for a field of type *V, which stays nil when the
// body does not have the field. It rejects null.
func Optional[T, V any](field func(*T) **V, read func(Value) (V, error)) func(*T, Value) error {
	return Plain(field, func(v Value) (*V, error) {
		value, err := read(v)
		return &value, err
	})
}

// Texts are the sentences with which a dialect rejects values of the wrong type.
// Its methods read values; their errors are KindInvalid and have no field name.
type Texts struct {
	String, Bool string
	ID           func(Value) string // for an id, from 1
	IDOrNone     string             // for an id, or 0 for none
	ElementID    func(Value) string // for an id in an array
	Amount       string             // for a value that is neither a number nor a string
	// Malformed is for a text that is not an amount. If it is empty, the error is that
	// of cohort.ParseAmount.
	Malformed string
}

// ReadString reads a string. A string of another type S is not validated.
func ReadString[S ~string](t *Texts, v Value) (S, error) {
	s, ok := v.Text()
	if !ok {
		return "", cohort.Invalid("", t.String)
	}
	return S(s), nil
}

// ReadBool reads a boolean.
func (t *Texts) ReadBool(v Value) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return false, cohort.Invalid("", t.Bool)
	}
	return b, nil
}

// ReadID reads an id, from 1.
func (t *Texts) ReadID(v Value) (int64, error) {
	id, ok := v.Int()
	if !ok || id < 1 {
		return 0, cohort.Invalid("", t.ID(v))
	}
	return id, nil
}

// ReadIDOrNone reads an id, or 0 for none.
func (t *Texts) ReadIDOrNone(v Value) (int64, error) {
	id, ok := v.Int()
	if !ok || id < 0 {
		return 0, cohort.Invalid("", t.IDOrNone)
	}
	return id, nil
}

// ReadIDs reads the elements of an array of ids.
func (t *Texts) ReadIDs(values []Value) ([]int64, error) {
	ids := make([]int64, len(values))
	for i, v := range values {
		id, ok := v.Int()
		if !ok || id < 1 {
			return nil, cohort.Invalid("", t.ElementID(v))
		}
		ids[i] = id
	}
	return ids, nil
}

// ReadAmount reads an amount of money or a percentage, as a number or as a numeric
// string.
func (t *Texts) ReadAmount(v Value) (decimal.Decimal, error) {
	text, ok := v.Number()
	if !ok {
		return decimal.Decimal{}, cohort.Invalid("", t.Amount)
	}
	d, err := cohort.ParseAmount(text)
	if err != nil && t.Malformed != "" {
		err = cohort.Invalid("", t.Malformed)
	}
	return d, err
}
