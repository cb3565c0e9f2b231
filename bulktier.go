package cohort

import (
	"cmp"
	"fmt"
	"slices"
)

// ValidateBulkTiers checks the bulk tiers of a product or price record, in any order. It
// returns ItemErrors with an error for each invalid tier, or a KindInvalid error without
// a field if there are too many.
func ValidateBulkTiers(tiers []BulkTier) error {
	if len(tiers) > MaxBulkTiers {
		return Invalid("", fmt.Sprintf("There must be at most %d bulk pricing tiers.", MaxBulkTiers))
	}
	wrong := ItemErrors{}
	for i, t := range tiers {
		if err := t.validate(); err != nil {
			wrong[i] = err
		}
	}
	if len(wrong) == 0 {
		checkOverlaps(tiers, wrong)
	}
	if len(wrong) == 0 {
		return nil
	}
	return wrong
}

// Covers reports whether the tier is for a quantity.
func (t BulkTier) Covers(quantity int64) bool {
	return quantity >= t.QuantityMin && (t.QuantityMax == 0 || quantity <= t.QuantityMax)
}

func (t BulkTier) validate() error {
	switch {
	case t.QuantityMin < 1:
		return Invalid("quantity_min", "The quantity must be a whole number from 1.")
	case t.QuantityMax != 0 && t.QuantityMax < t.QuantityMin:
		return Invalid("quantity_max", "The quantity must not be less than quantity_min, or 0 for no end.")
	}
	switch t.Method {
	case MethodPercent, MethodFixed, MethodPrice:
		return validateAmount(t.Method, t.Amount)
	}
	return Invalid("type", "The type must be percent, fixed or price.")
}

// checkOverlaps records an error for each tier that overlaps with one that begins at a
// lower quantity, or at the same quantity and comes first in the list.
func checkOverlaps(tiers []BulkTier, wrong ItemErrors) {
	order := make([]int, len(tiers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(tiers[a].QuantityMin, tiers[b].QuantityMin) })
	end := int64(0) // the highest quantity so far; -1: unlimited
	for _, i := range order {
		t := tiers[i]
		if end == -1 || t.QuantityMin <= end {
			wrong[i] = Invalid("quantity_min", "The quantities overlap with those of another tier.")
		}
		switch {
		case t.QuantityMax == 0:
			end = -1
		case end != -1:
			end = max(end, t.QuantityMax)
		}
	}
}
