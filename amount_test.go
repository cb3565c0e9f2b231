package cohort_test

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort"

	"pgregory.net/rapid"
)

func TestParseAmount(t *testing.T) {
	accepted := []struct{ text, want string }{
		{"0", "0"},
		{"-0", "0"},
		{"0.00005", "0.00005"}, // ValidateRules rejects too many decimals
		{"5.00000", "5"},
		{"-7.25", "-7.25"},
		{"1e3", "1000"},
		{"1E+3", "1000"},
		{"12.5e-1", "1.25"},
		{"0e64", "0"},
		{"9999999999999999.9999", "9999999999999999.9999"},
		{strings.Repeat("9", 40), strings.Repeat("9", 40)},
		{strings.Repeat("1", 64), strings.Repeat("1", 64)},
		{"1e64", "1" + strings.Repeat("0", 64)},
		{"1e-64", "0." + strings.Repeat("0", 63) + "1"},
	}
	for _, tt := range accepted {
		t.Run(tt.text, func(t *testing.T) {
			got, err := cohort.ParseAmount(tt.text)
			if err != nil || got.String() != tt.want {
				t.Fatalf("got %s, error %v, want %s", got, err, tt.want)
			}
		})
	}

	refused := []string{
		"", " ", "-", ".", "e", "e5", ".5", "5.", "-.5", "5.e1", "+5", "--5", "-+5",
		"1e", "1e+", "1e-", "1ee3", "1e3e3", "1e3.5", "1e+-3", "1e--3",
		"1e65", "1e-65", "1e999999999", "1e-999999999", "1e99999999999999999999", "0e65",
		strings.Repeat("1", 65), "1" + strings.Repeat("0", 1<<20),
		"NaN", "nan", "Infinity", "-Infinity", "inf", "0x10", "0b1", "0o7", "1_000", "1,5", "1,000.00",
		" 5", "5 ", "5\n", "5\x00", "5 0", "1.2.3", "five", "٣", "５", "½", "$5", "5%", "true", "null", "\xff",
	}
	for _, text := range refused {
		t.Run("reject "+shorten(text), func(t *testing.T) {
			got, err := cohort.ParseAmount(text)
			wantInvalid(t, err, "")
			if !got.IsZero() {
				t.Fatalf("the rejected text has the value %s", got)
			}
		})
	}
}

func shorten(s string) string {
	if len(s) > 24 {
		s = s[:24]
	}
	return strconv.QuoteToASCII(s)
}

// Every stored amount parses back from each of its text forms.
func TestParseAmountRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := validAmount(cohort.MethodFixed).Draw(t, "amount")
		for _, text := range []string{want.String(), want.StringFixed(cohort.AmountScale)} {
			got, err := cohort.ParseAmount(text)
			if err != nil || !got.Equal(want) {
				t.Fatalf("%s: got %s, error %v", text, got, err)
			}
		}
	})
}

// numberText is the syntax that ParseAmount accepts: JSON numbers, but with leading zeros,
// because amounts also come in strings.
var numberText = regexp.MustCompile(`^-?[0-9]+(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?$`)

// numberLimit bounds both the length of the text and the size of the exponent.
const numberLimit = 64

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{
		"0", "-0", "007", "5.0000", "1e3", "1E-5", "1e0000000000000000064", "1e999999999", ".5", "5.", "+5",
		"NaN", "0x10", "1e+-3", strings.Repeat("9", 64), strings.Repeat("9", 65),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := cohort.ParseAmount(s)
		if !isAmount(s) {
			wantInvalid(t, err, "")
			return
		}
		// The expected value, computed with math/big.
		want, ok := new(big.Rat).SetString(s)
		if err != nil || !ok || got.Rat().Cmp(want) != 0 {
			t.Fatalf("%q: got %s, error %v, want %s", s, got, err, want)
		}
	})
}

func isAmount(s string) bool {
	m := numberText.FindStringSubmatch(s)
	if m == nil || len(s) > numberLimit {
		return false
	}
	if m[1] == "" {
		return true
	}
	e, err := strconv.Atoi(m[1])
	return err == nil && -numberLimit <= e && e <= numberLimit
}
