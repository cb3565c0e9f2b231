package db

import (
	"encoding/json"
	"math"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// noPrice is stored for a price that is not set.
const noPrice = -1

// fromAmount returns the stored form of a price, in ten-thousandths. Prices are
// validated before they are stored, so the conversion is exact.
func fromAmount(d decimal.Decimal) int64 { return d.Shift(cohort.AmountScale).IntPart() }

func toAmount(n int64) decimal.Decimal {
	if n == 0 { // the most common value; the zero Decimal allocates nothing
		return decimal.Decimal{}
	}
	return decimal.New(n, -cohort.AmountScale)
}

func fromPrice(p decimal.NullDecimal) int64 {
	if !p.Valid {
		return noPrice
	}
	return fromAmount(p.Decimal)
}

func toPrice(n int64) decimal.NullDecimal {
	if n == noPrice {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(toAmount(n))
}

// amountRange adds the bounds of a price range that are set. A price that is not
// set is outside every range.
func (w *where) amountRange(expression string, s cohort.AmountRange) {
	if s.Min.Valid {
		w.and(expression+" >= ?", max(0, boundOf(s.Min.Decimal, decimal.Decimal.Ceil)))
	}
	if s.Max.Valid {
		w.text.WriteString(" AND " + expression + " >= 0")
		w.and(expression+" <= ?", boundOf(s.Max.Decimal, decimal.Decimal.Floor))
	}
}

// boundOf returns a bound of a range in the stored form of prices, rounded into
// the range. A bound beyond every possible price becomes the largest or smallest
// integer.
func boundOf(d decimal.Decimal, round func(decimal.Decimal) decimal.Decimal) int64 {
	switch d = round(d.Shift(cohort.AmountScale)); {
	case d.GreaterThan(largest):
		return math.MaxInt64
	case d.LessThan(largest.Neg()):
		return -math.MaxInt64
	}
	return d.IntPart()
}

var largest = decimal.NewFromInt(math.MaxInt64)

// tierRow is the JSON form of a bulk tier.
type tierRow struct {
	Min    int64           `json:"min"`
	Max    int64           `json:"max,omitempty"`
	Method cohort.Method   `json:"method"`
	Amount decimal.Decimal `json:"amount"`
}

func encodeTiers(tiers []cohort.BulkTier) string {
	if len(tiers) == 0 {
		return "[]"
	}
	rows := make([]tierRow, len(tiers))
	for i, t := range tiers {
		rows[i] = tierRow{t.QuantityMin, t.QuantityMax, t.Method, t.Amount}
	}
	return mustMarshal(rows)
}

func decodeTiers(text string) ([]cohort.BulkTier, error) {
	if text == "[]" {
		return nil, nil
	}
	var rows []tierRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	tiers := make([]cohort.BulkTier, len(rows))
	for i, r := range rows {
		tiers[i] = cohort.BulkTier{QuantityMin: r.Min, QuantityMax: r.Max, Method: r.Method, Amount: r.Amount}
	}
	return tiers, nil
}
