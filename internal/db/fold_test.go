package db

import (
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	same := [][]string{
		{"straße", "STRASSE", "Strasse", "STRAẞE"},
		{"\u00e9", "e\u0301", "\u00c9", "E\u0301"},
		{"\u1e69", "s\u0323\u0307", "s\u0307\u0323", "S\u0307\u0323"}, // two combining marks in both orders
		{"ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς", "ὀδυσσεύσ"},
		{"\u1fb3", "\u03b1\u0345", "\u0391\u0345", "\u1fbc"},   // iota subscript and adscript
		{"\u1fb4", "\u03b1\u0345\u0301", "\u03b1\u0301\u0345"}, // needs composition before and after folding
		{"\u0390", "\u1fd3", "\u03aa\u0301"},                   // folding decomposes the first two, not the third
		{"\uac00", "\u1100\u1161"},                             // Hangul
		{"ﬁ", "fi", "FI"},
		{"\u212a", "k", "K"}, // the Kelvin sign
	}
	for i, class := range same {
		for _, s := range class {
			if got, want := Fold(s), Fold(class[0]); got != want {
				t.Errorf("%q folds to %q, and %q to %q", s, got, class[0], want)
			}
		}
		if other := same[(i+1)%len(same)][0]; Fold(other) == Fold(class[0]) {
			t.Errorf("%q and %q fold to the same", other, class[0])
		}
	}
	// Folding does not depend on a language, so the dotless i of Turkish is not i.
	if Fold("ı") == Fold("i") || Fold("I") != Fold("i") {
		t.Error("the dotless i is folded by the rules of Turkish")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom(nil, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Mn)).Draw(t, "s")
		if once, twice := Fold(s), Fold(Fold(s)); once != twice {
			t.Fatalf("%q folds to %q, and that to %q", s, once, twice)
		}
	})
}
