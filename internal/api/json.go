package api

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// Value is a well-formed JSON value as it was sent. It is a substring of the
// body, so it keeps the whole body in memory.
type Value struct {
	raw    string
	unread *Unread // of the request; nil: nothing asks what is ignored
}

// Member is a field of an object.
type Member struct {
	Name  string
	Value Value
}

// Object is the fields of a JSON object in the order in which they were sent. Of
// fields with the same name it has the last value, at the position of the first.
type Object []Member

// Has reports whether the object has a field.
func (o Object) Has(name string) bool { return o.index(name) >= 0 }

// Text returns the value of a field if it is a string, else "".
func (o Object) Text(name string) string {
	if i := o.index(name); i >= 0 {
		text, _ := o[i].Value.text()
		return text
	}
	return ""
}

// Without returns the object without a field, which the operation ignores.
func (o Object) Without(name string) Object {
	if i := o.index(name); i >= 0 {
		o[i].Value.unread.ignore(name)
	}
	return slices.DeleteFunc(slices.Clone(o), func(m Member) bool { return m.Name == name })
}

func (o Object) index(name string) int {
	return slices.IndexFunc(o, func(m Member) bool { return m.Name == name })
}

// ParseObject parses a body that must be one JSON object in UTF-8. Its errors are
// KindInvalid; the message says what is wrong and at which byte, counted from 1.
func ParseObject(body []byte) (Object, error) {
	v, err := ParseValue(body)
	if err != nil {
		return nil, err
	}
	return bodyObject(v)
}

func bodyObject(v Value) (Object, error) {
	o, ok := v.Object()
	if !ok {
		return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: "The request body must be a JSON object."}
	}
	return o, nil
}

// ParseValue is ParseObject for a body that may be any JSON value.
func ParseValue(body []byte) (Value, error) {
	s := scanner{data: string(body)}
	if err := s.document(); err != nil {
		return Value{}, err
	}
	return Value{raw: strings.TrimSpace(s.data)}, nil
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.raw[0] == 'n' }

// JSON returns the value as it was sent.
func (v Value) JSON() []byte { return []byte(v.raw) }

// Bool returns a JSON boolean.
func (v Value) Bool() (b, ok bool) {
	return v.raw[0] == 't', v.raw[0] == 't' || v.raw[0] == 'f'
}

// Is reports whether the value is a JSON string with this text, written without
// escapes. It does not allocate.
func (v Value) Is(text string) bool {
	return v.raw[0] == '"' && v.raw[1:len(v.raw)-1] == text
}

// Text returns the text of a JSON string. It is a copy: a short text that is
// stored must not keep the whole body in memory.
func (v Value) Text() (string, bool) {
	s, ok := v.text()
	return strings.Clone(s), ok
}

// text is Text without the copy, for callers that do not keep the result.
func (v Value) text() (string, bool) {
	if v.raw[0] != '"' {
		return "", false
	}
	if strings.IndexByte(v.raw, '\\') < 0 {
		return v.raw[1 : len(v.raw)-1], true
	}
	var s string
	err := json.Unmarshal([]byte(v.raw), &s)
	return s, err == nil
}

// Number returns the text of a JSON number or of a string, for callers that
// accept numbers in both forms and check the text themselves. Callers must not
// keep the result: it is a part of the body.
func (v Value) Number() (string, bool) {
	if v.raw[0] == '-' || isDigit(v.raw[0]) {
		return v.raw, true
	}
	return v.text()
}

// Int returns an integer: a JSON number without fraction and exponent, or a
// string of digits with an optional minus sign.
func (v Value) Int() (int64, bool) {
	text, ok := v.Number()
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && text[0] != '+'
}

// String returns the value as it was sent, for error texts: a string without its
// quotes, and at most 64 characters.
func (v Value) String() string {
	text, ok := v.text()
	if !ok {
		text = v.raw
	}
	const maxRunes = 64
	if runes := []rune(text); len(runes) > maxRunes {
		return string(runes[:maxRunes]) + "…"
	}
	return text
}

// Array returns the elements of a JSON array.
func (v Value) Array() ([]Value, bool) { return v.ArrayIn(make([]Value, 0, Usual), math.MaxInt-1) }

// ArrayIn is Array with a buffer from the caller, typically on its stack. It
// overwrites the buffer and allocates only when the array is longer. It returns
// at most limit+1 elements: limit+1 means that the array is too long.
func (v Value) ArrayIn(buf []Value, limit int) ([]Value, bool) {
	if v.raw[0] != '[' {
		return nil, false
	}
	values := buf[:0]
	for t := newTokenizer(v); !t.atEnd() && len(values) <= limit; {
		values = append(values, t.next())
	}
	return values, true
}

// Object returns the fields of a JSON object.
func (v Value) Object() (Object, bool) { return v.ObjectIn(make(Object, 0, Usual)) }

// ObjectIn is Object with a buffer from the caller, typically on its stack. It
// overwrites the buffer and allocates only when the object has more fields.
func (v Value) ObjectIn(buf Object) (Object, bool) {
	if v.raw[0] != '{' {
		return nil, false
	}
	o := buf[:0]
	var indexes map[string]int
	for t := newTokenizer(v); !t.atEnd(); {
		name, _ := t.next().text()
		value := t.next()
		if i := o.lookup(name, indexes); i >= 0 {
			o[i].Value = value
			continue
		}
		o = append(o, Member{name, value})
		indexes = o.indexLast(indexes)
	}
	return o, true
}

// Usual is the number of fields, or of elements, that most objects and arrays do
// not exceed. Up to Usual fields, comparing all names is faster than a map. More
// fields need a map, because a body can hold a hundred thousand of them.
const Usual = 8

// lookup is index, with the map if there is one.
func (o Object) lookup(name string, indexes map[string]int) int {
	if indexes == nil {
		return o.index(name)
	}
	if i, ok := indexes[name]; ok {
		return i
	}
	return -1
}

// indexLast adds the last field to the map. It makes the map when the object has
// more than Usual fields, and returns nil before that.
func (o Object) indexLast(indexes map[string]int) map[string]int {
	if len(o) <= Usual {
		return nil
	}
	if indexes == nil {
		indexes = map[string]int{}
		for i, m := range o {
			indexes[m.Name] = i
		}
	}
	indexes[o[len(o)-1].Name] = len(o) - 1
	return indexes
}
