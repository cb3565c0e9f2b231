package api

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"cohort.example/cohort"
)

// maxDepth is how deep arrays and objects may be nested in a body. The API reads
// at most four levels.
const maxDepth = 32

// scanner checks JSON text. Bodies are not decoded with encoding/json because it
// hides what the API has to report or reject: the order of fields, the byte of an
// error, bytes that are not UTF-8, and unpaired surrogates.
type scanner struct {
	data string
	pos  int
}

// document checks that the data is exactly one value.
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
		return s.list('}', depth)
	case c == '[':
		return s.list(']', depth)
	case c == '"':
		return s.text()
	case c == '-' || isDigit(c):
		return s.number()
	}
	return s.literal()
}

func (s *scanner) literal() error {
	for _, literal := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s.data[s.pos:], literal) {
			s.pos += len(literal)
			return nil
		}
	}
	return s.unexpected("where a value should begin")
}

// list skips an array or an object: items separated by commas, up to end.
func (s *scanner) list(end byte, depth int) error {
	s.pos++
	s.space()
	if s.peek() == end {
		s.pos++
		return nil
	}
	for {
		if err := s.item(end, depth+1); err != nil {
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

// item skips one item of a list that closes with end.
func (s *scanner) item(end byte, depth int) error {
	if end == '}' {
		return s.member(depth)
	}
	return s.value(depth)
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
	for {
		s.plain()
		if s.pos == len(s.data) {
			return s.errorf("a string has no end")
		}
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
		default:
			r, size := utf8.DecodeRuneInString(s.data[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return s.errorf("a string is not UTF-8")
			}
			s.pos += size
		}
	}
}

// plain skips the characters of a string that need no further check: printable
// ASCII except quotes and backslashes. They are most of a body.
func (s *scanner) plain() {
	i := s.pos
	for i < len(s.data) && s.data[i] >= ' ' && s.data[i] < utf8.RuneSelf && s.data[i] != '"' && s.data[i] != '\\' {
		i++
	}
	s.pos = i
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

// unicodeEscape skips \uXXXX, or a surrogate pair of two escapes. It rejects half
// of a pair, which the standard library would replace with U+FFFD.
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

// hex4 skips the 'u' and the four digits of an escape and returns their value.
func (s *scanner) hex4() (uint64, bool) {
	if s.pos+5 > len(s.data) {
		return 0, false
	}
	n, err := strconv.ParseUint(s.data[s.pos+1:s.pos+5], 16, 16)
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

// digits skips one or more digits. It returns false if there is none.
func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) space() {
	if s.pos < len(s.data) && s.data[s.pos] > ' ' {
		return // the usual case: compact JSON
	}
	s.spaces()
}

func (s *scanner) spaces() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the byte at the scanner's position, 0 at the end.
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
