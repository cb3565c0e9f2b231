package db

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold returns text in the form in which it is compared without regard to
// case: Unicode full case folding over composed characters, so that "É" typed
// as one character or as two, and "STRASSE" and "straße", are the same. The
// database never folds: engines disagree about it beyond ASCII.
func fold(s string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}
