package apiv3

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// tierFields has the fields of a bulk tier.
var tierFields = api.Fields[cohort.BulkTier]{
	"quantity_min": api.Plain(func(t *cohort.BulkTier) *int64 { return &t.QuantityMin }, readQuantity),
	"quantity_max": api.Plain(func(t *cohort.BulkTier) *int64 { return &t.QuantityMax }, readQuantity),
	"type":         api.Plain(func(t *cohort.BulkTier) *cohort.Method { return &t.Method }, readText),
	"amount":       api.Plain(func(t *cohort.BulkTier) *decimal.Decimal { return &t.Amount }, texts.ReadAmount),
}

// tierRequired has the required fields of a tier. Without quantity_max the tier has no
// upper limit.
var tierRequired = []string{"quantity_min", "type", "amount"}

// readTiers reads and validates bulk tiers. The service validates them too; validated
// here, their errors appear together with the other errors of the body.
func readTiers(v api.Value) ([]cohort.BulkTier, error) {
	values, ok := v.Array()
	switch {
	case !ok:
		return nil, cohort.Invalid("", "The value must be an array of bulk pricing tiers.")
	case len(values) > cohort.MaxBulkTiers: // rejected without decoding
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

// tierWire is a bulk tier in responses.
type tierWire struct {
	QuantityMin int64         `json:"quantity_min"`
	QuantityMax int64         `json:"quantity_max"` // 0: no upper limit
	Type        cohort.Method `json:"type"`
	Amount      amount        `json:"amount"`
}

// tiersToWire never returns nil, which would be encoded as null.
func tiersToWire(tiers []cohort.BulkTier) []tierWire {
	wires := make([]tierWire, len(tiers))
	for i, t := range tiers {
		wires[i] = tierWire{t.QuantityMin, t.QuantityMax, t.Method, amount(t.Amount)}
	}
	return wires
}
