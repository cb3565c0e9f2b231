package journal

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// hidden stands in the journal for a secret.
const hidden = "***"

// A name is that of a secret if it contains "token", "cookie", "secret", "credential",
// "authorization", "apikey", "privatekey", "passw" or "passph". Case does not matter, nor do
// "_" and "-": "new_password", "X-Auth-Token" and "apiKey" are names of secrets.
//
// Bodies are long and seldom have secrets, so isSecret looks only at the letters that are
// rare in other words, and then at what is around them.
func isSecret[T ~string | ~[]byte](name T) bool {
	for i := range len(name) {
		if rare[name[i]] && isSecretAt(name, i) {
			return true
		}
	}
	return false
}

// rare has the letters at which isSecretAt looks.
var rare = func() (set [256]bool) {
	for _, letter := range []byte("kwzchKWZCH") {
		set[letter] = true
	}
	return set
}()

// isSecretAt reports whether the letter at a position is that of a word for secrets.
func isSecretAt[T ~string | ~[]byte](name T, i int) bool {
	switch name[i] | 0x20 {
	case 'k':
		return around(name, i, "to", "en") || around(name, i, "coo", "ie") || around(name, i, "api", "ey") || around(name, i, "private", "ey")
	case 'w':
		return around(name, i, "pass", "")
	case 'h':
		return around(name, i, "passp", "")
	case 'z':
		return around(name, i, "authori", "ation")
	case 'c':
		return around(name, i, "se", "ret") || around(name, i, "", "redential")
	}
	return false
}

// around reports whether words surround the letter at a position.
func around[T ~string | ~[]byte](name T, at int, before, after string) bool {
	i := at
	for w := len(before) - 1; w >= 0; w-- {
		for i--; i >= 0 && isJoint(name[i]); i-- {
		}
		if i < 0 || name[i]|0x20 != before[w] {
			return false
		}
	}
	i = at
	for w := range len(after) {
		for i++; i < len(name) && isJoint(name[i]); i++ {
		}
		if i >= len(name) || name[i]|0x20 != after[w] {
			return false
		}
	}
	return true
}

func isJoint(b byte) bool { return b == '_' || b == '-' }

// redactJSON replaces the values of secrets in a body. true, false and null stay: they are
// settings such as "force_password_reset". Of a text that is not JSON, or was cut where it
// is not clear what the rest of it belongs to, nothing stays if it may have a secret. further
// are fields that are secrets besides those that isSecret knows.
func redactJSON(text []byte, further ...string) string {
	if len(further) == 0 && !isSecret(text) && !hasEscape(text) {
		return string(text)
	}
	r := redactor{text: text, further: further}
	for r.pos < len(r.text) && !r.odd {
		r.step()
	}
	if r.odd {
		return hidden
	}
	if r.kept == 0 {
		return string(text)
	}
	return string(append(r.out, text[r.kept:]...))
}

// hasEscape reports whether a text has an escape that can stand for a letter of a name.
func hasEscape(text []byte) bool { return bytes.Contains(text, []byte(`\u`)) }

// redactor passes over a text once. It does not need well-formed JSON.
type redactor struct {
	text []byte
	pos  int
	out  []byte // the text up to kept, redacted
	kept int
	odd  bool // the text is not JSON

	further []string // fields that are secrets
}

// step passes over a string, with its value if it is the name of a secret, or over one
// other character or word.
func (r *redactor) step() {
	switch b := r.text[r.pos]; {
	case b == '"':
		r.passText()
	case b == '{' || b == '}' || b == '[' || b == ']' || b == ',' || b == ':' || isNumeric(b) || isSpace(b):
		r.pos++
	default:
		r.odd = !r.literal()
	}
}

// passText passes over a string.
func (r *redactor) passText() {
	start := r.pos
	end := endOfText(r.text, start)
	r.pos = end
	at := r.afterSpace(end)
	if at == len(r.text) || r.text[at] != ':' {
		r.checkEnd()
		return
	}
	r.pos = at + 1
	if r.isSecretText(r.text[start:end]) {
		r.hide()
	}
}

// checkEnd checks that nothing but the end of a value follows.
func (r *redactor) checkEnd() {
	if at := r.afterSpace(r.pos); at < len(r.text) {
		b := r.text[at]
		r.odd = b != ',' && b != '}' && b != ']'
	}
}

// isSecretText is isSecret for a string of JSON, which may have escapes.
func (r *redactor) isSecretText(text []byte) bool {
	if bytes.IndexByte(text, '\\') < 0 && len(r.further) == 0 {
		return isSecret(text)
	}
	var name string
	if json.Unmarshal(text, &name) != nil {
		return true
	}
	return isSecret(name) || slices.Contains(r.further, name)
}

// hide replaces the value that begins here.
func (r *redactor) hide() {
	start := r.afterSpace(r.pos)
	if start == len(r.text) {
		return
	}
	r.pos = start
	switch r.text[start] {
	case '"':
		r.pos = endOfText(r.text, start)
	case '{', '[':
		r.pos = endOfContainer(r.text, start)
	case 't', 'f', 'n':
		r.odd = !r.literal()
		return
	case '}', ']', ',':
		r.odd = true
		return
	default:
		for r.pos < len(r.text) && isNumeric(r.text[r.pos]) {
			r.pos++
		}
	}
	r.checkEnd()
	r.out = append(append(r.out, r.text[r.kept:start]...), `"`+hidden+`"`...)
	r.kept = r.pos
}

// literal passes over true, false or null, or over the beginning of one at the end of a
// text that was cut. It returns false for another word.
func (r *redactor) literal() bool {
	start := r.pos
	for r.pos < len(r.text) && r.text[r.pos] >= 'a' && r.text[r.pos] <= 'z' {
		r.pos++
	}
	word := string(r.text[start:r.pos])
	for _, known := range []string{"true", "false", "null"} {
		if word == known || word != "" && r.pos == len(r.text) && strings.HasPrefix(known, word) {
			return true
		}
	}
	return false
}

func (r *redactor) afterSpace(i int) int {
	for i < len(r.text) && isSpace(r.text[i]) {
		i++
	}
	return i
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func isNumeric(b byte) bool {
	return b >= '0' && b <= '9' || b == '-' || b == '+' || b == '.' || b == 'e' || b == 'E'
}

// endOfText returns the end of the string that begins at a position.
func endOfText(text []byte, at int) int {
	for i := at + 1; ; {
		n := bytes.IndexByte(text[min(i, len(text)):], '"')
		if n < 0 {
			return len(text)
		}
		end := i + n
		escapes := 0
		for end-1-escapes > at && text[end-1-escapes] == '\\' {
			escapes++
		}
		if i = end + 1; escapes%2 == 0 {
			return i
		}
	}
}

// endOfContainer returns the end of the array or object that begins at a position.
func endOfContainer(text []byte, at int) int {
	for open := 0; at < len(text); {
		switch text[at] {
		case '"':
			at = endOfText(text, at)
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		if at++; open == 0 {
			return at
		}
	}
	return len(text)
}

// redactQuery replaces the values of secrets in a query string. The rest stays as it was
// sent.
func redactQuery(raw string) string {
	if !isSecret(raw) && !strings.Contains(raw, "%") {
		return raw
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, _, found := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if found && (err != nil || isSecret(plain)) {
			pairs[i] = name + "=" + hidden
		}
	}
	return strings.Join(pairs, "&")
}
