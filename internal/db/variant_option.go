package db

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// VariantOptions returns the variant options of a product, by id, with nothing but their
// ids and names.
func (t *Tx) VariantOptions(storeKey string, productID int64) ([]cohort.Option, error) {
	w := whereOptions(storeKey, productID, cohort.VariantOption)
	rows, err := t.Query("SELECT id, display_name FROM product_options"+w.text.String()+" ORDER BY id", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (o cohort.Option, err error) {
		err = row.Scan(&o.ID, &o.DisplayName)
		return o, err
	})
}

// ChoiceLabel names a choice by its option and its label.
type ChoiceLabel struct {
	OptionID int64
	Label    string
}

// ChoicesByLabel returns the ids of choices by their labels. Of choices with the same label
// it returns the first. There is at least one label, and at most [cohort.MaxOptionValues].
func (t *Tx) ChoicesByLabel(storeKey string, wanted []ChoiceLabel) (map[ChoiceLabel]int64, error) {
	ids := map[ChoiceLabel]int64{}
	options, labels := make([]int64, len(wanted)), make([]string, len(wanted))
	for i, c := range wanted {
		ids[c] = 0
		options[i], labels[i] = c.OptionID, c.Label
	}
	w := &where{args: []any{storeKey, idText(options)}}
	rows, err := t.Query(t.rowsOf(txn.LookupBy{
		Columns: "id, option_id, label", Table: "option_choices", Column: "option_id", Condition: " AND " + isIn(w, "x.label", labels),
	}), w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var c ChoiceLabel
		if err := rows.Scan(&id, &c.OptionID, &c.Label); err != nil {
			return nil, err
		}
		if first, ok := ids[c]; ok && (first == 0 || id < first) {
			ids[c] = id
		}
	}
	return ids, rows.Err()
}

// StoredValues returns which of the option values are choices of variant options of a
// product.
func (t *Tx) StoredValues(storeKey string, productID int64, values []cohort.OptionValue) (map[cohort.OptionValue]bool, error) {
	labels, err := t.labels(storeKey, idsOf(values, func(v cohort.OptionValue) int64 { return v.ValueID }))
	if err != nil {
		return nil, err
	}
	stored := map[cohort.OptionValue]bool{}
	for v := range labels {
		if v.productID == productID {
			stored[v.OptionValue] = true
		}
	}
	return stored, nil
}
