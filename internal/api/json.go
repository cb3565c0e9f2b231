package api

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// Value is a JSON value as it was sent. It is known to be well-formed. It is a
// part of the body, which stays in memory as long as the value does.
type Value struct{ raw string }

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
		text, _ := o[i].Value.text()
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
	v, err := ParseValue(body)
	if err != nil {
		return nil, err
	}
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
	return Value{strings.TrimSpace(s.data)}, nil
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.raw[0] == 'n' }

// Bool returns a JSON boolean.
func (v Value) Bool() (b, ok bool) {
	return v.raw[0] == 't', v.raw[0] == 't' || v.raw[0] == 'f'
}

// Is reports whether the value is a JSON string with this text, written without
// escapes. To ask for it costs no memory.
func (v Value) Is(text string) bool {
	return v.raw[0] == '"' && v.raw[1:len(v.raw)-1] == text
}

// Text returns a JSON string. It does not hold on to the body, of which it may
// be a small part and which it may outlive by far.
func (v Value) Text() (string, bool) {
	s, ok := v.text()
	return strings.Clone(s), ok
}

// text is Text for what is looked at and not kept.
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

// Number returns the text of a JSON number or of a string, for callers who
// accept numbers in both forms and check the text. It is not to be kept.
func (v Value) Number() (string, bool) {
	if v.raw[0] == '-' || isDigit(v.raw[0]) {
		return v.raw, true
	}
	return v.text()
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
	text, ok := v.text()
	if !ok {
		text = v.raw
	}
	const most = 64
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// Array returns the elements of a JSON array.
func (v Value) Array() ([]Value, bool) { return v.ArrayIn(make([]Value, 0, Usual), math.MaxInt-1) }

// ArrayIn is Array for callers who have room for the elements of most arrays,
// on their stack, say. What is in the room is lost. Of an array that is longer than
// most it returns the first most+1 elements, which says that there are too many and
// costs no memory for the others.
func (v Value) ArrayIn(room []Value, most int) ([]Value, bool) {
	if v.raw[0] != '[' {
		return nil, false
	}
	values := room[:0]
	for c := newTokenizer(v); !c.atEnd() && len(values) <= most; {
		values = append(values, c.next())
	}
	return values, true
}

// Object returns the fields of a JSON object.
func (v Value) Object() (Object, bool) { return v.ObjectIn(make(Object, 0, Usual)) }

// ObjectIn is Object for callers who have room for the fields of most objects,
// on their stack, say. What is in the room is lost.
func (v Value) ObjectIn(room Object) (Object, bool) {
	if v.raw[0] != '{' {
		return nil, false
	}
	o := room[:0]
	var places map[string]int
	for c := newTokenizer(v); !c.atEnd(); {
		name, _ := c.next().text()
		value := c.next()
		if i := o.place(name, places); i >= 0 {
			o[i].Value = value
			continue
		}
		o = append(o, Member{name, value})
		places = o.noted(places)
	}
	return o, true
}

// Usual is how many fields most objects have at most. Up to there it is quicker
// to compare all names than to keep a map of them; beyond, a map is needed,
// because a body has room for a hundred thousand.
const Usual = 8

// place is index, by the map if there is one.
func (o Object) place(name string, places map[string]int) int {
	if places == nil {
		return o.index(name)
	}
	if i, ok := places[name]; ok {
		return i
	}
	return -1
}

// noted returns the map with the last field in it, which is made once it is
// worth it.
func (o Object) noted(places map[string]int) map[string]int {
	if len(o) <= Usual {
		return nil
	}
	if places == nil {
		places = map[string]int{}
		for i, m := range o {
			places[m.Name] = i
		}
	}
	places[o[len(o)-1].Name] = len(o) - 1
	return places
}
