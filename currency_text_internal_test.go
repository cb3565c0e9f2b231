package cohort

import (
	"regexp"
	"testing"
)

// Each currency has texts, and each text belongs to a currency.
func TestCurrencyTexts(t *testing.T) {
	if len(currencyTexts) != len(currencies) {
		t.Errorf("%d currencies have texts, want %d", len(currencyTexts), len(currencies))
	}
	names := map[string]string{}
	for code, c := range currencies {
		if c.Symbol() == "" || c.Name() == "" {
			t.Errorf("%s has the symbol %q and the name %q", code, c.Symbol(), c.Name())
		}
		if other := names[c.Name()]; other != "" {
			t.Errorf("%s and %s have the name %s", code, other, c.Name())
		}
		names[c.Name()] = code
		if !regexp.MustCompile(`^([A-Z]{2})?$`).MatchString(c.Country()) {
			t.Errorf("%s belongs to the country %q", code, c.Country())
		}
	}
	for code, want := range map[string][3]string{
		"USD": {"$", "US Dollar", "US"}, "EUR": {"€", "Euro", "EU"}, "JPY": {"¥", "Japanese Yen", "JP"}, "XOF": {"CFA", "West African CFA Franc", ""},
	} {
		c := currencies[code]
		if got := [3]string{c.Symbol(), c.Name(), c.Country()}; got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}
