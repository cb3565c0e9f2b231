package db

import (
	"maps"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"

	"github.com/shopspring/decimal"
)

// adjusters are the changes that values of modifiers make to prices: the kind and the
// amount, by value and by modifier.
type adjusters map[string]map[string][2]string

func (a adjusters) add(optionID, valueID int64, price cohort.Adjuster) {
	if price.Kind == "" {
		return
	}
	option := strconv.FormatInt(optionID, 10)
	if a[option] == nil {
		a[option] = map[string][2]string{}
	}
	a[option][strconv.FormatInt(valueID, 10)] = [2]string{string(price.Kind), price.Amount.String()}
}

// each calls fn with the adjusters of a product.
func (a adjusters) each(productID int64, fn func(ModifierValue, cohort.Adjuster)) error {
	for option, values := range a {
		optionID, err := strconv.ParseInt(option, 10, 64)
		if err != nil {
			return err
		}
		for value, price := range values {
			valueID, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return err
			}
			amount, err := decimal.NewFromString(price[1])
			if err != nil {
				return err
			}
			fn(ModifierValue{productID, cohort.OptionValue{OptionID: optionID, ValueID: valueID}},
				cohort.Adjuster{Kind: cohort.AdjusterKind(price[0]), Amount: toAmount(fromAmount(amount))})
		}
	}
	return nil
}

// adjustersOf returns the adjusters of products that have any.
func (t *Tx) adjustersOf(storeKey string, productIDs []int64) (map[int64]adjusters, error) {
	rows, err := t.Query(t.rowsOf(txn.LookupBy{
		Columns: "product_id, option_id, id, price_adjuster, price_amount", Table: modifierValues, Column: "product_id",
	}), storeKey, idText(productIDs))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	of := map[int64]adjusters{}
	for rows.Next() {
		var product, option, value, amount int64
		var a cohort.Adjuster
		if err := rows.Scan(&product, &option, &value, &a.Kind, &amount); err != nil {
			return nil, err
		}
		if of[product] == nil {
			of[product] = adjusters{}
		}
		a.Amount = toAmount(amount)
		of[product].add(option, value, a)
	}
	return of, rows.Err()
}

// recordOption records a change of an option or modifier as one of its product: the option
// with those of its values that changed. before and after are nil where it does not exist.
func (t *Tx) recordOption(storeKey string, before, after *cohort.Option) error {
	if !t.records() {
		return nil
	}
	of := before
	if of == nil {
		of = after
	}
	was, is := changedChoices(before, after), changedChoices(after, before)
	var c eventChanges
	field := "options"
	if of.Kind == cohort.Modifier {
		field = "modifiers"
		c.add(adjustersField, adjustersText(of.ID, was), adjustersText(of.ID, is))
	}
	c.add(field, optionText(before, was), optionText(after, is))
	if c.isEmpty() {
		return nil
	}
	return t.record(storeKey, cohort.Event{Kind: cohort.ProductUpdated, EventIDs: cohort.EventIDs{ProductID: of.ProductID}, Changes: c.json()})
}

// changedChoices returns the choices of an option that other does not have in this form.
func changedChoices(o, other *cohort.Option) (changed []cohort.Choice) {
	if o == nil {
		return nil
	}
	for _, c := range o.Choices {
		if other != nil {
			if same, err := other.Choice(c.ID); err == nil && sameChoice(same, c) {
				continue
			}
		}
		changed = append(changed, c)
	}
	return changed
}

func adjustersText(optionID int64, choices []cohort.Choice) string {
	a := adjusters{}
	for _, c := range choices {
		a.add(optionID, c.ID, c.PriceAdjuster())
	}
	return mustMarshal(a)
}

// optionText returns the list of an option with some of its choices; [] for nil.
func optionText(o *cohort.Option, choices []cohort.Choice) string {
	if o == nil {
		return "[]"
	}
	values := []map[string]any{}
	for _, c := range choices {
		values = append(values, withDetails(c.Details, map[string]any{"id": c.ID, "label": c.Label, "is_default": c.IsDefault}))
	}
	return mustMarshal([]any{withDetails(o.Details, map[string]any{
		"id": o.ID, "display_name": o.DisplayName, "type": o.Type, "option_values": values,
	})})
}

// withDetails adds details to the fields of an object.
func withDetails(d cohort.Details, fields map[string]any) map[string]any {
	all := make(map[string]any, len(d)+len(fields))
	for name, value := range d {
		all[name] = value
	}
	maps.Copy(all, fields)
	return all
}
