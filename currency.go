package cohort

import (
	"strings"

	"github.com/shopspring/decimal"
)

// DefaultCurrency is the currency of a store that sets none.
const DefaultCurrency = "USD"

// Currency is a currency in use, by ISO 4217.
type Currency struct {
	Code string // three capitals
	// Decimals is the number of decimals of an amount to pay, to which prices are
	// rounded.
	Decimals int32
}

// The currencies of ISO 4217 by their number of decimals in that standard, which for some
// is higher than shops use. Metals, funds and test codes are left out. ANG and BGN have
// recently been replaced by XCG and EUR, and are kept for older prices.
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

// ParseCurrency returns the currency with a code, in any case. It returns a KindInvalid
// error without a field for an unknown code.
func ParseCurrency(code string) (Currency, error) {
	c, ok := currencies[strings.ToUpper(code)]
	// ToUpper maps some non-ASCII letters to ASCII: "uſd" is not a currency.
	if !ok || len(code) != len(c.Code) {
		return Currency{}, Invalid("", "The value must be a currency code of ISO 4217, such as USD.")
	}
	return c, nil
}

// Round rounds an amount to the currency's decimals, half away from zero.
func (c Currency) Round(amount decimal.Decimal) decimal.Decimal {
	surplus := -amount.Exponent() - c.Decimals
	if surplus <= 0 {
		return amount
	}
	// Rounding is most of the cost of computing a price, and almost all amounts fit an
	// int64.
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
