package cohort_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// The test tries every code of three letters. It has its own list of the currencies that do
// not have two decimals in ISO 4217.
func TestCurrencyDecimals(t *testing.T) {
	other := map[string]int32{}
	for code := range strings.FieldsSeq("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF") {
		other[code] = 0
	}
	for code := range strings.FieldsSeq("BHD IQD JOD KWD LYD OMR TND") {
		other[code] = 3
	}
	known := 0
	for n := range 26 * 26 * 26 {
		code := string([]byte{'A' + byte(n/676), 'A' + byte(n/26%26), 'A' + byte(n%26)})
		got, err := cohort.ParseCurrency(code)
		want, isOther := other[code]
		if !isOther {
			want = 2
		}
		switch {
		case err != nil && isOther:
			t.Errorf("%s: %v", code, err)
		case err == nil && (got.Code != code || got.Decimals != want):
			t.Errorf("%s has %d decimals and the code %s, want %d", code, got.Decimals, got.Code, want)
		}
		if err == nil {
			known++
		}
	}
	if known != knownCurrencies {
		t.Errorf("%d currencies are known, want %d", known, knownCurrencies)
	}
}

// knownCurrencies is the expected number of currencies.
const knownCurrencies = 157

func TestParseCurrency(t *testing.T) {
	// Currencies that are often assumed to have no decimals, but have two.
	for _, code := range []string{"usd", "Eur", "HUF", "TWD", "IDR", "LAK", "MGA", "MRU", "IRR", "COP", "TZS", "VES", "XCG"} {
		c, err := cohort.ParseCurrency(code)
		if err != nil || c.Code != strings.ToUpper(code) || c.Decimals != 2 {
			t.Errorf("%s: got %v, error %v", code, c, err)
		}
	}
	refused := []string{
		"", "US", "USDD", " USD", "USD ", "840", "$", "U$D", "uſd", "ıdr", "EURO", strings.Repeat("USD", 1<<16),
		"XAU", "XAG", "XDR", "XTS", "XXX", "XUA", "XSU", // metals, funds, tests, no currency
		"CLF", "UYI", "UYW", "COU", "MXV", "BOV", "CHE", "CHW", "USN", // units of account; CLF and UYW have four decimals
		"DEM", "HRK", "CUC", "ZWL", "VEF", "SLL", "MRO", "STD", "BYR", "LTL", // withdrawn
		"BTC", "GGP", // never existed
	}
	for _, code := range refused {
		c, err := cohort.ParseCurrency(code)
		wantInvalid(t, err, "")
		if c != (cohort.Currency{}) {
			t.Errorf("%.20q is rejected, but returned %v", code, c)
		}
	}
}

func TestCurrencyRound(t *testing.T) {
	for _, tt := range []struct{ code, exact, want string }{
		{"USD", "0.005", "0.01"},
		{"USD", "0.00499999", "0"},
		{"USD", "0.015", "0.02"}, // half up, not half even
		{"USD", "0.025", "0.03"},
		{"USD", "42.4915", "42.49"},
		{"USD", "42.4950", "42.50"},
		{"USD", "1e3", "1000"},
		{"USD", "0", "0"},
		{"USD", "99999999999999.9999", "100000000000000"},
		{"USD", "9223372036854775.80749", "9223372036854775.81"}, // more than an int64 holds
		{"USD", "123456789012345678.125", "123456789012345678.13"},
		{"USD", "0.00000000000000000005", "0"},
		{"USD", "-0.005", "-0.01"},
		{"USD", "-1.234", "-1.23"},
		{"JPY", "0.5", "1"},
		{"JPY", "2.5", "3"},
		{"JPY", "1234.4999", "1234"},
		{"KWD", "0.0005", "0.001"},
		{"KWD", "1.2344999999", "1.234"},
	} {
		got := currency(tt.code).Round(decimal.RequireFromString(tt.exact))
		if !got.Equal(decimal.RequireFromString(tt.want)) {
			t.Errorf("%s %s becomes %s, want %s", tt.code, tt.exact, got, tt.want)
		}
	}
}
