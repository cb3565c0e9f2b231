package cohort

import (
	"strings"

	"github.com/shopspring/decimal"
)

// DefaultCurrency is the currency of a store that has not said another.
const DefaultCurrency = "USD"

// Currency is a currency in use, by ISO 4217.
type Currency struct {
	Code string // three capitals
	// Decimals is how many digits an amount has behind the point when somebody
	// pays it, which is what prices are rounded to.
	Decimals int32
}

// The currencies of ISO 4217 that are money somebody pays with, by how many
// decimals they have by that standard, which for some is more than shops use.
// Metals, funds and test codes are left out. ANG and BGN have just given way to
// XCG and EUR, and are here for prices from before.
const (
	currencies0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
	currencies2 = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD " +
		"CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD " +
		"HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK " +
		"MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB " +
		"SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD " +
		"UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
	currencies3 = "BHD IQD JOD KWD LYD OMR TND"
)

var currencies = func() map[string]Currency {
	known := map[string]Currency{}
	for decimals, codes := range map[int32]string{0: currencies0, 2: currencies2, 3: currencies3} {
		for code := range strings.FieldsSeq(codes) {
			known[code] = Currency{code, decimals}
		}
	}
	return known
}()

// ParseCurrency returns the currency with a code, in capitals or not. It returns
// a KindInvalid error, which names no field, for a code that is no currency.
func ParseCurrency(code string) (Currency, error) {
	c, ok := currencies[strings.ToUpper(code)]
	// Some letters that are not ASCII have a capital that is: "uſd" is no currency.
	if !ok || len(code) != len(c.Code) {
		return Currency{}, Invalid("", "The value must be a currency code of ISO 4217, such as USD.")
	}
	return c, nil
}

// Round returns an amount as somebody pays it: rounded half up to the currency's
// decimals, and half down below zero.
func (c Currency) Round(amount decimal.Decimal) decimal.Decimal {
	surplus := -amount.Exponent() - c.Decimals
	if surplus <= 0 {
		return amount
	}
	// This is most of what a price costs to compute, and hardly any needs more than
	// an int64.
	if amount.IsNegative() || amount.NumDigits() >= maxInt64Digits || surplus >= maxInt64Digits {
		return amount.Round(c.Decimals)
	}
	unit := powersOf10[surplus]
	whole, rest := amount.CoefficientInt64()/unit, amount.CoefficientInt64()%unit
	if rest >= unit-rest {
		whole++
	}
	return decimal.New(whole, -c.Decimals)
}

const maxInt64Digits = 19

var powersOf10 = func() (p [maxInt64Digits]int64) {
	p[0] = 1
	for i := range p[1:] {
		p[i+1] = p[i] * 10
	}
	return p
}()
