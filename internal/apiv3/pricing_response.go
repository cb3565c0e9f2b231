package apiv3

import (
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// A response has up to 500 items with a dozen figures of four values each, so it has an
// encoder of its own (docs/decisions/0002). The tests compare its output with
// encoding/json byte for byte.

func appendPrices(b []byte, prices []service.ItemPrice) []byte {
	b = append(b, `{"data":[`...)
	for i := range prices {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPrice(b, &prices[i])
	}
	return append(b, `],"meta":{}}`...)
}

func appendPrice(b []byte, a *service.ItemPrice) []byte {
	priced := a.Item
	priced.VariantID = a.VariantID
	b = append(b, '{')
	b = appendItem(b, priced)
	b = append(b, `,"reference_request":{`...)
	b = appendItem(b, a.Item)
	b = append(b, '}')
	b = appendFigure(b, "retail_price", a.RetailPrice)
	b = appendFigure(b, "sale_price", a.SalePrice)
	b = appendFigure(b, "minimum_advertised_price", a.MAPPrice)
	b = appendFigure(b, "saved", saved(a.Price))
	b = appendFigure(b, "price", a.Price.Price)
	b = appendFigure(b, "calculated_price", a.Calculated)
	b = appendRange(b, "price_range", a.PriceRange)
	b = appendRange(b, "retail_price_range", a.RetailRange)
	b = append(b, `,"bulk_pricing":[`...)
	for i, t := range a.BulkTiers {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTier(b, t)
	}
	return append(b, "]}"...)
}

// saved is the retail price less the calculated price, null unless it is positive.
func saved(p cohort.Price) decimal.NullDecimal {
	if !p.RetailPrice.Valid {
		return decimal.NullDecimal{}
	}
	s := p.RetailPrice.Decimal.Sub(p.Calculated.Decimal)
	return decimal.NullDecimal{Decimal: s, Valid: s.IsPositive()}
}

func appendItem(b []byte, i service.PriceItem) []byte {
	b = append(b, `"product_id":`...)
	b = strconv.AppendInt(b, i.ProductID, 10)
	if i.VariantID != 0 {
		b = append(b, `,"variant_id":`...)
		b = strconv.AppendInt(b, i.VariantID, 10)
	}
	if i.Options == nil {
		return b
	}
	b = append(b, `,"options":[`...)
	for n, o := range i.Options {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"option_id":`...)
		b = strconv.AppendInt(b, o.OptionID, 10)
		b = append(b, `,"value_id":`...)
		b = strconv.AppendInt(b, o.ValueID, 10)
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendFigure appends a figure unless it is null.
func appendFigure(b []byte, name string, d decimal.NullDecimal) []byte {
	if !d.Valid {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendAmounts(b, d.Decimal)
}

// appendAmounts appends an amount with and without taxes. There are no taxes, so all
// values are the same.
func appendAmounts(b []byte, d decimal.Decimal) []byte {
	b = append(b, `{"as_entered":`...)
	start := len(b)
	b = appendAmount(b, d)
	end := len(b)
	b = append(b, `,"entered_inclusive":false,"tax_exclusive":`...)
	b = append(b, b[start:end]...)
	b = append(b, `,"tax_inclusive":`...)
	b = append(b, b[start:end]...)
	return append(b, '}')
}

func appendRange(b []byte, name string, r *service.PriceRange) []byte {
	if r == nil {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":{"minimum":`...)
	b = appendAmounts(b, r.Min)
	b = append(b, `,"maximum":`...)
	b = appendAmounts(b, r.Max)
	return append(b, '}')
}

func appendTier(b []byte, t cohort.BulkTier) []byte {
	b = append(b, `{"minimum":`...)
	b = strconv.AppendInt(b, t.QuantityMin, 10)
	b = append(b, `,"maximum":`...)
	b = strconv.AppendInt(b, t.QuantityMax, 10)
	b = append(b, `,"discount_amount":`...)
	b = appendAmount(b, t.Amount)
	b = append(b, `,"discount_type":"`...)
	b = append(b, t.Method...)
	b = append(b, `","tax_discount_amount":[`...)
	b = appendAmounts(b, t.Amount)
	return append(b, "]}"...)
}

// appendAmount appends an amount as decimal.String formats it, without allocating a
// string. No amount here is negative.
func appendAmount(b []byte, d decimal.Decimal) []byte {
	n, places := d.CoefficientInt64(), -int(d.Exponent())
	if places < 0 || places > 18 || n < 0 || d.NumDigits() > 18 {
		return append(b, d.String()...)
	}
	for places > 0 && n%10 == 0 {
		n /= 10
		places--
	}
	start := len(b)
	b = strconv.AppendInt(b, n, 10)
	if places == 0 {
		return b
	}
	for len(b)-start <= places { // at least one digit before the point
		b = append(b, 0)
		copy(b[start+1:], b[start:])
		b[start] = '0'
	}
	b = append(b, 0)
	point := len(b) - 1 - places
	copy(b[point+1:], b[point:])
	b[point] = '.'
	return b
}
