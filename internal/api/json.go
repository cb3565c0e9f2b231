package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"cohort.example/cohort"
)

// maxDepth is how deep arrays and objects may be nested in a body. What the
// API reads is four deep at most.
const maxDepth = 32

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

// next cuts out the value at the scanner's place, in data known to be
// well-formed.
func (s *scanner) next() Value {
	start := s.pos
	if err := s.value(0); err != nil {
		panic(fmt.Sprintf("api: a value was not checked before it was taken apart: %v", err))
	}
	return Value{s.data[start:s.pos]}
}

// separator passes a comma or a colon and the space around it.
func (s *scanner) separator() {
	s.space()
	if c := s.data[s.pos]; c == ',' || c == ':' {
		s.pos++
		s.space()
	}
}

// scanner walks over JSON text. The standard decoder is not used for bodies
// because it hides what the API has to report or refuse: the order of fields,
// the byte of an error, bytes that are not UTF-8, unpaired surrogates.
type scanner struct {
	data []byte
	pos  int
}

// document checks that the data is one value with nothing after it.
func (s *scanner) document() error {
	s.space()
	if s.pos == len(s.data) {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "The request body is empty."}
	}
	if err := s.value(0); err != nil {
		return err
	}
	s.space()
	if s.pos < len(s.data) {
		return s.unexpected("after the end of the value")
	}
	return nil
}

func (s *scanner) value(depth int) error {
	if depth > maxDepth {
		return s.errorf("values are nested more than %d deep", maxDepth)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.list('}', depth, s.member)
	case c == '[':
		return s.list(']', depth, s.value)
	case c == '"':
		return s.text()
	case c == '-' || isDigit(c):
		return s.number()
	}
	for _, literal := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.pos:], []byte(literal)) {
			s.pos += len(literal)
			return nil
		}
	}
	return s.unexpected("where a value should begin")
}

// list passes an array or an object: items separated by commas, up to end.
func (s *scanner) list(end byte, depth int, item func(depth int) error) error {
	s.pos++
	s.space()
	if s.peek() == end {
		s.pos++
		return nil
	}
	for {
		if err := item(depth + 1); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
			s.space()
		case end:
			s.pos++
			return nil
		default:
			return s.unexpected(fmt.Sprintf("where ',' or '%c' should be", end))
		}
	}
}

func (s *scanner) member(depth int) error {
	if s.peek() != '"' {
		return s.unexpected("where the name of a field should begin")
	}
	if err := s.text(); err != nil {
		return err
	}
	s.space()
	if s.peek() != ':' {
		return s.unexpected("where ':' should be")
	}
	s.pos++
	s.space()
	return s.value(depth)
}

func (s *scanner) text() error {
	s.pos++
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.errorf("a control character in a string is not escaped")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, size := utf8.DecodeRune(s.data[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return s.errorf("a string is not UTF-8")
			}
			s.pos += size
		}
	}
	return s.errorf("a string has no end")
}

func (s *scanner) escape() error {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		return s.unicodeEscape()
	}
	return s.errorf("a string has an unknown escape")
}

// unicodeEscape passes \uXXXX, or two of them that make up one character. Half
// of such a pair is refused: the standard library would put U+FFFD in its place.
func (s *scanner) unicodeEscape() error {
	unit, ok := s.hex4()
	if !ok {
		return s.errorf("a \\u escape needs four hexadecimal digits")
	}
	if unit < 0xd800 || unit > 0xdfff {
		return nil
	}
	if unit < 0xdc00 && s.peek() == '\\' && s.pos+1 < len(s.data) && s.data[s.pos+1] == 'u' {
		s.pos++
		if low, ok := s.hex4(); ok && low >= 0xdc00 && low <= 0xdfff {
			return nil
		}
	}
	return s.errorf("a \\u escape is half of a surrogate pair")
}

// hex4 passes the 'u' and the four digits of an escape.
func (s *scanner) hex4() (uint64, bool) {
	if s.pos+5 > len(s.data) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.data[s.pos+1:s.pos+5]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.pos += 5
	return n, true
}

func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.unexpected("in a number")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.unexpected("in a number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.unexpected("in a number")
		}
	}
	return nil
}

// digits passes at least one digit, or returns false.
func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the byte at the scanner's place, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) unexpected(where string) error {
	if s.pos >= len(s.data) {
		return s.errorf("it ends early")
	}
	return s.errorf("unexpected %s %s", printable(s.data[s.pos]), where)
}

func printable(c byte) string {
	if c > ' ' && c < 0x7f {
		return "'" + string(rune(c)) + "'"
	}
	return fmt.Sprintf("byte 0x%02x", c)
}

func (s *scanner) errorf(format string, args ...any) error {
	return &cohort.Error{
		Kind:    cohort.KindInvalid,
		Message: fmt.Sprintf("The request body is not valid JSON: "+format+", at byte %d.", append(args, s.pos+1)...),
	}
}
