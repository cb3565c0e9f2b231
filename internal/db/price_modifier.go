package db

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// ModifierValue is a value of a modifier of a product.
type ModifierValue struct {
	ProductID int64
	cohort.OptionValue
}

// modifierValues has the values of modifiers that change prices.
const modifierValues = `(SELECT c.store_hash, c.id, c.option_id, o.product_id, c.price_adjuster, c.price_amount
	FROM option_choices AS c JOIN product_options AS o ON o.store_hash = c.store_hash AND o.id = c.option_id
	WHERE o.is_modifier AND c.price_adjuster <> '') AS modifier_values`

// PriceAdjusters returns what those of the values do to prices that are values of a
// modifier and change prices.
func (t *Tx) PriceAdjusters(storeKey string, valueIDs []int64) (map[ModifierValue]cohort.Adjuster, error) {
	rows, err := t.Query(t.rowsOf(txn.LookupBy{
		Columns: "product_id, option_id, id, price_adjuster, price_amount", Table: modifierValues, Column: "id",
	}), storeKey, idText(valueIDs))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	adjusters := map[ModifierValue]cohort.Adjuster{}
	for rows.Next() {
		var v ModifierValue
		var a cohort.Adjuster
		var amount int64
		if err := rows.Scan(&v.ProductID, &v.OptionID, &v.ValueID, &a.Kind, &amount); err != nil {
			return nil, err
		}
		a.Amount = toAmount(amount)
		adjusters[v] = a
	}
	return adjusters, rows.Err()
}
