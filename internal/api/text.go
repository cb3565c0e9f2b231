package api

import "unicode/utf8"

// AppendText appends a JSON string, byte for byte as encoding/json encodes it
// with SetEscapeHTML(false).
func AppendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || size > 1) {
				i += size
				continue
			}
		}
		dst = append(dst, s[done:i]...)
		dst = appendEscape(dst, s[i:i+size])
		i += size
		done = i
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// appendEscape appends the escape of a character, or the replacement character
// for a byte that is not UTF-8.
func appendEscape(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	switch c := s[0]; {
	case s == "\u2028" || s == "\u2029": // line terminators in JavaScript
		return append(dst, '\\', 'u', '2', '0', '2', '0'+(s[2]&0xf))
	case c >= utf8.RuneSelf:
		return append(dst, `\ufffd`...)
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c == '\b':
		return append(dst, '\\', 'b')
	case c == '\f':
		return append(dst, '\\', 'f')
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\r':
		return append(dst, '\\', 'r')
	case c == '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
	}
}
