package apiv3

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// tierFields is what a bulk tier may hold, wherever tiers are.
var tierFields = fields[cohort.BulkTier]{
	"quantity_min": plain(func(t *cohort.BulkTier) *int64 { return &t.QuantityMin }, readQuantity),
	"quantity_max": plain(func(t *cohort.BulkTier) *int64 { return &t.QuantityMax }, readQuantity),
	"type":         plain(func(t *cohort.BulkTier) *cohort.Method { return &t.Method }, readText),
	"amount":       plain(func(t *cohort.BulkTier) *decimal.Decimal { return &t.Amount }, readAmount),
}

// tierRequired are the fields that every tier has to have. Without quantity_max it
// has no end.
var tierRequired = []string{"quantity_min", "type", "amount"}

// readTiers reads all bulk tiers of something, and checks them.
func readTiers(v api.Value) ([]cohort.BulkTier, error) {
	values, ok := v.Array()
	switch {
	case !ok:
		return nil, cohort.Invalid("", "The value must be an array of bulk pricing tiers.")
	case len(values) > cohort.MaxBulkTiers: // which need not be read
		return nil, cohort.ValidateBulkTiers(make([]cohort.BulkTier, len(values)))
	}
	tiers, err := decodeArray(values, tierFields, tierRequired...)
	if err != nil {
		return nil, err
	}
	return tiers, cohort.ValidateBulkTiers(tiers)
}

func readQuantity(v api.Value) (int64, error) {
	n, ok := v.Int()
	if !ok {
		return 0, cohort.Invalid("", "The value must be a whole number.")
	}
	return n, nil
}

// tierWire is a bulk tier in answers.
type tierWire struct {
	QuantityMin int64         `json:"quantity_min"`
	QuantityMax int64         `json:"quantity_max"` // 0: no end
	Type        cohort.Method `json:"type"`
	Amount      amount        `json:"amount"`
}

// tiersToWire never returns nil, which would be null.
func tiersToWire(tiers []cohort.BulkTier) []tierWire {
	wires := make([]tierWire, len(tiers))
	for i, t := range tiers {
		wires[i] = tierWire{t.QuantityMin, t.QuantityMax, t.Method, amount(t.Amount)}
	}
	return wires
}
