package db

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the case-folded form of a text, for case-insensitive comparison:
// Unicode full case folding over composed characters. "É" as one code point and
// as two, and "STRASSE" and "straße", have the same folded form. The database
// never folds, because the engines disagree beyond ASCII.
func Fold(s string) string {
	if isASCII(s) { // the common case, ten times faster
		return strings.ToLower(s)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
