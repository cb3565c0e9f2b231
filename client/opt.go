package client

import (
	"bytes"
	"encoding/json"
)

// Opt is a field that may be absent, null or set. Its zero value is absent: an update
// leaves the field as it is. The three differ from an empty value: Set([]Rule{}) removes
// all rules of a group, and an absent list keeps them.
//
// Fields of this type have the option "omitzero" in their JSON tags.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	absent optState = iota
	null
	set
)

// Set returns a field with a value.
func Set[T any](value T) Opt[T] { return Opt[T]{value: value, state: set} }

// Null returns a field that is null.
func Null[T any]() Opt[T] { return Opt[T]{state: null} }

// Get returns the value, and whether there is one. Absent and null have none.
func (o Opt[T]) Get() (value T, ok bool) { return o.value, o.state == set }

// Or returns the value, or another one if there is none.
func (o Opt[T]) Or(other T) T {
	if o.state == set {
		return o.value
	}
	return other
}

// IsNull reports whether the field is null.
func (o Opt[T]) IsNull() bool { return o.state == null }

// IsZero reports whether the field is absent. encoding/json then leaves it out.
func (o Opt[T]) IsZero() bool { return o.state == absent }

// MarshalJSON implements [json.Marshaler]. Absent is null where encoding/json cannot leave
// it out.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != set {
		return []byte("null"), nil
	}
	return encode(o.value)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (o *Opt[T]) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		*o = Null[T]()
		return nil
	}
	var value T
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	*o = Set(value)
	return nil
}
