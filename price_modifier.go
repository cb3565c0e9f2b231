package cohort

import "github.com/shopspring/decimal"

// ChosenModifier is a value of a modifier that an item has, with the change that it makes
// to the price.
type ChosenModifier struct {
	OptionValue
	Adjuster
}

// AppliedModifier is a ChosenModifier in a price.
type AppliedModifier struct {
	ChosenModifier
	// Adds is the unrounded amount that the modifier adds to the price of one piece. It is
	// not Valid for an amount in another currency than the price's, which adds nothing.
	Adds decimal.NullDecimal
}

// Modify sets the modifiers that the next prices include. They change the price to pay and
// the prices of bulk tiers, whatever their source. The caller must not change the slice
// afterwards.
func (p *ProductPricer) Modify(chosen []ChosenModifier) { p.modifiers = chosen }

// modify applies the modifiers to the winning price. Each changes that price by itself, so
// their order does not matter.
func (c *comparison) modify() {
	if len(c.of.modifiers) == 0 || !c.exact.Valid {
		return
	}
	total := c.exact.Decimal
	c.modified = make([]AppliedModifier, len(c.of.modifiers))
	for i, m := range c.of.modifiers {
		adds := c.addedBy(m.Adjuster)
		c.modified[i] = AppliedModifier{m, adds}
		total = total.Add(adds.Decimal)
	}
	c.exact.Decimal = decimal.Max(total, decimal.Zero)
}

func (c *comparison) addedBy(a Adjuster) decimal.NullDecimal {
	switch {
	case a.Kind == AdjustPercentage:
		return decimal.NewNullDecimal(c.exact.Decimal.Mul(a.Amount).Shift(-2))
	case a.Kind == AdjustRelative && c.foreign == "":
		return decimal.NewNullDecimal(a.Amount)
	}
	return decimal.NullDecimal{}
}
