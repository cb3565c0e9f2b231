package exchange

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
)

// faker replaces texts by fakes of the same form. Equal texts get equal fakes, so that a
// customer can be followed through a recording. The key is random and kept nowhere, so
// a reader cannot find a text by computing the fakes of all candidates.
type faker struct{ key []byte }

func newFaker() faker {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return faker{key}
}

// digest returns a keyed hash of a text without regard to case.
func (f faker) digest(text string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, f.key)
	_, _ = h.Write([]byte(strings.ToLower(text))) // a hash never fails
	h.Sum(sum[:0])
	return sum
}

var emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)

// fake returns the fake of a text: of an email an email, of an address of the Internet
// one, of a link a link, of a date a date, and of another text one of the same length with
// letters for letters and digits for digits.
func (f faker) fake(text string) string {
	trimmed := strings.TrimSpace(text)
	if emailForm.MatchString(trimmed) {
		sum := f.digest(trimmed)
		return "fake-" + hex.EncodeToString(sum[:6]) + "@example.com"
	}
	if addr, err := netip.ParseAddr(trimmed); err == nil {
		return f.address(addr)
	}
	if scheme, rest, ok := strings.Cut(trimmed, "://"); ok && (scheme == "https" || scheme == "http") {
		host, path, _ := strings.Cut(rest, "/")
		sum := f.digest(host)
		return scheme + "://fake-" + hex.EncodeToString(sum[:6]) + ".example.com/" + f.letters(path)
	}
	if dateValue.MatchString(text) && unicode.IsDigit(rune(text[0])) {
		return f.date(text)
	}
	return f.letters(text)
}

// address returns an address of the ranges that are for tests (RFC 2544, RFC 3849).
func (f faker) address(of netip.Addr) string {
	sum := f.digest(of.String())
	if of.Is4() || of.Is4In6() {
		return netip.AddrFrom4([4]byte{198, 18 + sum[0]&1, sum[1], sum[2]}).String()
	}
	fake := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	copy(fake[4:], sum[:])
	return netip.AddrFrom16(fake).String()
}

// date returns another date in the same form, at midnight.
func (f faker) date(text string) string {
	const years, months, days = 60, 12, 28
	sum := f.digest(text)
	n := binary.BigEndian.Uint64(sum[:])
	rest := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return '0'
		}
		return r
	}, text[len("2006-01-02"):])
	return fmt.Sprintf("%d-%02d-%02d%s", 1950+n%years, 1+n/years%months, 1+n/years/months%days, rest)
}

const lowerCase = "abcdefghijklmnopqrstuvwxyz"

// letters replaces each letter and each digit. White space and ASCII punctuation stay.
func (f faker) letters(text string) string {
	if !strings.ContainsFunc(text, isReplaced) {
		return text
	}
	source := mathrand.New(mathrand.NewChaCha8(f.digest(text))) //nolint:gosec // ChaCha8 with a secret seed is no weaker than the hash
	for {
		fake := strings.Map(func(r rune) rune { return replacement(r, source) }, text)
		if fake != text {
			return fake
		}
	}
}

// number returns the fake of a JSON number: other digits, with the same sign and length.
func (f faker) number(text string) string {
	fake := []byte(f.letters(strings.ToLower(text)))
	integer, _, _ := strings.Cut(strings.ToLower(text), ".")
	for i, c := range []byte(strings.ToLower(text)) {
		first := i == 0 || i == 1 && text[0] == '-'
		switch {
		case c == 'e': // of an exponent
			fake[i] = c
		case first && c != '-' && len(strings.TrimPrefix(integer, "-")) > 1 && fake[i] == '0':
			fake[i] = '1'
		}
	}
	return string(fake)
}

func isReplaced(r rune) bool {
	return r > unicode.MaxASCII && !unicode.IsSpace(r) || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func replacement(r rune, source *mathrand.Rand) rune {
	letter := rune(lowerCase[source.IntN(len(lowerCase))])
	digit := rune('0' + source.IntN(10)) //nolint:gosec // it is small
	switch {
	case !isReplaced(r):
		return r
	case unicode.IsDigit(r):
		return digit
	case unicode.IsUpper(r):
		return unicode.ToUpper(letter)
	}
	return letter
}
