package db

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns text in the form in which it is compared without regard to
// case: Unicode full case folding over composed characters, so that "É" typed
// as one character or as two, and "STRASSE" and "straße", are the same. The
// database never folds: engines disagree about it beyond ASCII.
func Fold(s string) string {
	if isASCII(s) { // most names are, and it takes a tenth of the time
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
