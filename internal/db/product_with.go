package db

import (
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// optionRowBytes stands for what a row of an option or a value takes besides its texts.
const optionRowBytes = 512

// optionSizes returns the sizes of the options and modifiers that with names, by product;
// see [cohort.MaxOptionBytes]. A larger product is a KindTooLarge error.
func (t *Tx) optionSizes(storeKey string, products []cohort.Product, with cohort.ProductWith) (map[int64]int64, error) {
	if !with.Options && !with.Modifiers || len(products) == 0 {
		return nil, nil
	}
	w := whereOptionsOf(storeKey, products, with)
	size := w.arg(optionRowBytes)
	sizes, err := t.numbers(`SELECT product_id, CAST(sum(length(details) + CAST(`+size+` AS BIGINT) + COALESCE((
			SELECT sum(length(c.label) + length(c.details) + CAST(`+size+` AS BIGINT)) FROM option_choices AS c
			WHERE c.store_hash = $1 AND c.option_id = product_options.id), 0)) AS BIGINT)
		FROM product_options`+w.text.String()+" GROUP BY product_id", w.args...)
	if err != nil {
		return nil, err
	}
	for _, p := range products {
		if sizes[p.ID] > cohort.MaxOptionBytes {
			return nil, &cohort.Error{
				Kind:    cohort.KindTooLarge,
				Message: fmt.Sprintf("The options and modifiers of product %d are too large for include. They have a list of their own.", p.ID),
			}
		}
	}
	return sizes, nil
}

// whereOptionsOf selects the options of products of the kinds that with names.
func whereOptionsOf(storeKey string, products []cohort.Product, with cohort.ProductWith) *where {
	w := whereStore(storeKey)
	in(w, "product_id", productIDs(products))
	if with.Options != with.Modifiers {
		w.flag("is_modifier", &with.Modifiers)
	}
	return w
}

// readWith sets the fields of products that with names.
func (t *Tx) readWith(storeKey string, products []cohort.Product, with cohort.ProductWith) error {
	if with.Channels {
		if err := t.readChannels(storeKey, products); err != nil {
			return err
		}
	}
	if !with.Options && !with.Modifiers {
		return nil
	}
	choices, err := t.choicesOf(storeKey, products, with)
	if err != nil {
		return err
	}
	index := make(map[int64]int, len(products))
	for i, p := range products {
		index[p.ID] = i
	}
	w := whereOptionsOf(storeKey, products, with)
	rows, err := t.Query("SELECT "+optionColumns+" FROM product_options"+w.text.String()+" ORDER BY id", w.args...)
	if err != nil {
		return err
	}
	return txn.Each(rows, scanOption, func(o cohort.Option) bool {
		p := &products[index[o.ProductID]]
		o.Choices = choices[o.ID]
		if o.Kind == cohort.Modifier {
			p.Modifiers = append(p.Modifiers, o)
		} else {
			p.Options = append(p.Options, o)
		}
		return true
	})
}

// choicesOf returns the choices of these options, by option.
func (t *Tx) choicesOf(storeKey string, products []cohort.Product, with cohort.ProductWith) (map[int64][]cohort.Choice, error) {
	w := whereOptionsOf(storeKey, products, with)
	rows, err := t.Query("SELECT "+choiceColumns+`, option_id FROM option_choices
		WHERE store_hash = $1 AND option_id IN (SELECT id FROM product_options`+w.text.String()+") ORDER BY option_id, id", w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	choices := map[int64][]cohort.Choice{}
	for rows.Next() {
		var option int64
		c, err := scanChoiceAnd(rows, &option)
		if err != nil {
			return nil, err
		}
		choices[option] = append(choices[option], c)
	}
	return choices, rows.Err()
}
