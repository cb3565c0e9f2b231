package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"cohort.example/cohort"
)

// Value is a JSON value as it was sent. It is known to be well-formed.
type Value struct{ raw []byte }

// Member is a field of an object.
type Member struct {
	Name  string
	Value Value
}

// Object is the fields of a JSON object in the order in which they were sent.
// Of fields with the same name only the last value is kept, at the first place.
type Object []Member

// Has reports whether the object has a field.
func (o Object) Has(name string) bool { return o.index(name) >= 0 }

// Text returns a field's value if it is a string, else "".
func (o Object) Text(name string) string {
	if i := o.index(name); i >= 0 {
		text, _ := o[i].Value.Text()
		return text
	}
	return ""
}

// Without returns the object without a field.
func (o Object) Without(name string) Object {
	return slices.DeleteFunc(slices.Clone(o), func(m Member) bool { return m.Name == name })
}

func (o Object) index(name string) int {
	return slices.IndexFunc(o, func(m Member) bool { return m.Name == name })
}

// ParseObject reads a body that must be one JSON object in UTF-8. It returns a
// KindInvalid error whose message says what is wrong and at which byte, the
// first being 1.
func ParseObject(body []byte) (Object, error) {
	s := scanner{data: body}
	if err := s.document(); err != nil {
		return nil, err
	}
	o, ok := Value{bytes.TrimSpace(body)}.Object()
	if !ok {
		return nil, &cohort.Error{Kind: cohort.KindInvalid, Message: "The request body must be a JSON object."}
	}
	return o, nil
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.raw[0] == 'n' }

// Bool returns a JSON boolean.
func (v Value) Bool() (b, ok bool) {
	return v.raw[0] == 't', v.raw[0] == 't' || v.raw[0] == 'f'
}

// Text returns a JSON string.
func (v Value) Text() (string, bool) {
	if v.raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(v.raw, '\\') < 0 {
		return string(v.raw[1 : len(v.raw)-1]), true
	}
	var s string
	err := json.Unmarshal(v.raw, &s)
	return s, err == nil
}

// Number returns the text of a JSON number or of a string, for callers who
// accept numbers in both forms and check the text.
func (v Value) Number() (string, bool) {
	if v.raw[0] == '-' || isDigit(v.raw[0]) {
		return string(v.raw), true
	}
	return v.Text()
}

// Int returns an integer: a JSON number without fraction and exponent, or a
// string of digits.
func (v Value) Int() (int64, bool) {
	text, ok := v.Number()
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && text[0] != '+'
}

// String returns the value for an error text, as it was sent, shortened when
// it is long. A string stands without its quotes.
func (v Value) String() string {
	text, ok := v.Text()
	if !ok {
		text = string(v.raw)
	}
	const most = 64
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// Array returns the elements of a JSON array.
func (v Value) Array() ([]Value, bool) {
	if v.raw[0] != '[' {
		return nil, false
	}
	values := []Value{}
	s := scanner{data: v.raw, pos: 1}
	for s.space(); s.data[s.pos] != ']'; s.separator() {
		values = append(values, s.next())
	}
	return values, true
}

// Object returns the fields of a JSON object.
func (v Value) Object() (Object, bool) {
	if v.raw[0] != '{' {
		return nil, false
	}
	o := Object{}
	places := map[string]int{}
	s := scanner{data: v.raw, pos: 1}
	for s.space(); s.data[s.pos] != '}'; s.separator() {
		name, _ := s.next().Text()
		s.separator()
		value := s.next()
		if i, repeated := places[name]; repeated {
			o[i].Value = value
			continue
		}
		places[name] = len(o)
		o = append(o, Member{name, value})
	}
	return o, true
}
