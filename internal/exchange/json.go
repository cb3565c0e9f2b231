package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// Kind is the type of a JSON value.
type Kind string

// The kinds.
const (
	Object Kind = "object"
	Array  Kind = "array"
	String Kind = "string"
	Number Kind = "number"
	Bool   Kind = "boolean"
	Null   Kind = "null"
)

// Value is a JSON value that keeps the order of its keys and the text of its numbers.
type Value struct {
	Kind    Kind
	Text    string // of a string without quotes and escapes; of a number, true, false and null the literal
	Members []Member
	Items   []Value
}

// Member is a key of an object with its value.
type Member struct {
	Key   string
	Value Value
}

// maxDepth bounds how deep a body may be nested.
const maxDepth = 100

var errNotJSON = errors.New("the text is not JSON")

// ParseJSON parses a text that is one JSON value, nested at most 100 levels deep.
func ParseJSON(text []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return Value{}, errNotJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errNotJSON
	}
	return v, nil
}

func parseValue(d *json.Decoder, depth int) (Value, error) {
	token, err := d.Token()
	if err != nil || depth > maxDepth {
		return Value{}, errNotJSON
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return parseObject(d, depth)
		}
		return parseArray(d, depth)
	case string:
		return Value{Kind: String, Text: t}, nil
	case json.Number:
		return Value{Kind: Number, Text: t.String()}, nil
	case bool:
		if t {
			return Value{Kind: Bool, Text: "true"}, nil
		}
		return Value{Kind: Bool, Text: "false"}, nil
	}
	return Value{Kind: Null, Text: "null"}, nil
}

func parseObject(d *json.Decoder, depth int) (Value, error) {
	v := Value{Kind: Object}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return v, err
		}
		name, ok := key.(string)
		if !ok {
			return v, errNotJSON
		}
		member, err := parseValue(d, depth+1)
		if err != nil {
			return v, err
		}
		v.Members = append(v.Members, Member{name, member})
	}
	_, err := d.Token() // the end
	return v, err
}

func parseArray(d *json.Decoder, depth int) (Value, error) {
	v := Value{Kind: Array}
	for d.More() {
		item, err := parseValue(d, depth+1)
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, item)
	}
	_, err := d.Token() // the end
	return v, err
}

// Get returns the value of a key of an object. If there are several, it is the last one.
func (v Value) Get(key string) (Value, bool) {
	for i := len(v.Members) - 1; i >= 0; i-- {
		if v.Members[i].Key == key {
			return v.Members[i].Value, true
		}
	}
	return Value{}, false
}

// String returns the value as JSON without white space.
func (v Value) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

// MarshalJSON is for encoding/json.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalJSON is for encoding/json.
func (v *Value) UnmarshalJSON(text []byte) (err error) {
	*v, err = ParseJSON(text)
	return err
}

func (v Value) write(b *strings.Builder) {
	switch v.Kind {
	case Object:
		b.WriteByte('{')
		for i, m := range v.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, m.Key)
			b.WriteByte(':')
			m.Value.write(b)
		}
		b.WriteByte('}')
	case Array:
		b.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	case String:
		writeString(b, v.Text)
	default:
		b.WriteString(v.Text)
	}
}

func writeString(b *strings.Builder, text string) {
	quoted, err := encode(text)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	b.Write(quoted)
}

// encode is json.Marshal without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
