package cohort

import (
	"math/bits"

	"github.com/shopspring/decimal"
)

// Category rules are compared by the prices that they give, up to a thousand for an item.
// For speed the prices are computed with integers. Amounts that do not fit use decimals.

const (
	wholeAmount  = 1_0000   // ten-thousandths
	wholePercent = 100_0000 // 100 per cent, in ten-thousandths of a per cent
)

// tenThousandths returns an amount in the unit in which amounts are stored. fits is false
// for a negative amount, and for one with more decimals or more than 18 digits.
func tenThousandths(d decimal.Decimal) (n int64, fits bool) {
	shift := int(d.Exponent()) + AmountScale
	if d.IsNegative() || shift < 0 || shift >= maxInt64Digits || d.NumDigits()+shift >= maxInt64Digits {
		return 0, d.IsZero()
	}
	return d.CoefficientInt64() * powersOf10[shift], true
}

// unitBase is the base of discounts, in ten-thousandths.
type unitBase struct {
	exact  decimal.NullDecimal
	amount int64
	unit   int64 // the smallest unit of the currency, in ten-thousandths
	fits   bool
}

func newUnitBase(base decimal.NullDecimal, c Currency) unitBase {
	b := unitBase{exact: base}
	if !base.Valid || c.Decimals < 0 || c.Decimals >= AmountScale {
		return b
	}
	b.unit = wholeAmount / powersOf10[c.Decimals]
	b.amount, b.fits = tenThousandths(base.Decimal)
	return b
}

// unitsOf returns the price that a rule gives, rounded half up, in the smallest unit of
// the currency. It returns 0 without a base.
func (c *comparison) unitsOf(r *categoryRule, base unitBase) int64 {
	if !base.exact.Valid {
		return 0
	}
	if !base.fits || !r.fits {
		gives := c.rounded(discount(r.Method, r.Amount, base.exact))
		return gives.Decimal.Shift(c.terms.Currency.Decimals).IntPart()
	}
	switch r.Method {
	case MethodPercent:
		return base.percentOff(r.amount)
	case MethodPrice:
		return base.inUnits(max(base.amount-r.amount, 0))
	case MethodFixed:
		return base.inUnits(r.amount)
	}
	return base.inUnits(base.amount)
}

func (b unitBase) inUnits(amount int64) int64 { return (amount + b.unit/2) / b.unit }

// percentOff returns the price after a percentage discount. The product can have 24
// digits and needs 128 bits. The quotient is at most the base, so it fits.
func (b unitBase) percentOff(percent int64) int64 {
	divisor := uint64(wholePercent * b.unit)
	high, low := bits.Mul64(uint64(b.amount), uint64(max(wholePercent-percent, 0)))
	low, carry := bits.Add64(low, divisor/2, 0)
	units, _ := bits.Div64(high+carry, low, divisor)
	return int64(units)
}
