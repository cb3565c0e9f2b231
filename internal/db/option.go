package db

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const (
	optionColumns = "id, product_id, is_modifier, display_name, type, details"
	choiceColumns = "id, label, is_default, details"
)

// CreateOption adds an option with its choices and gives it ids. It returns the option with
// the ids, which are none of inUse: variants of the product may have values of options that
// were never stored. The caller has locked the product.
//
// Ids in use by variants of other products are not avoided, because the option values of a
// variant mean options of its own product. To find all of them would take reading every
// variant of the store.
func (t *Tx) CreateOption(storeKey string, o cohort.Option, inUse []cohort.OptionValue) (cohort.Option, error) {
	id, err := t.unusedIDs(storeKey, "option", 1, idsOf(inUse, func(v cohort.OptionValue) int64 { return v.OptionID }))
	if err != nil {
		return o, err
	}
	o.ID = id
	err = t.Later("INSERT INTO product_options (store_hash, name_folded, "+optionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		storeKey, Fold(o.DisplayName), o.ID, o.ProductID, o.Kind == cohort.Modifier, o.DisplayName, o.Type, encodeDetails(o.Details))
	if err != nil {
		return o, err
	}
	if o, err = t.putChoices(storeKey, cohort.Option{}, o, inUse); err != nil {
		return o, err
	}
	return o, t.recordOption(storeKey, nil, &o)
}

// idsOf returns an id of each of some values.
func idsOf[T any](values []T, id func(T) int64) []int64 {
	ids := make([]int64, len(values))
	for i, v := range values {
		ids[i] = id(v)
	}
	return ids
}

// unusedIDs allocates n consecutive ids, none of which is in use. It returns the first.
func (t *Tx) unusedIDs(storeKey, kind string, n int64, inUse []int64) (int64, error) {
	slices.Sort(inUse)
	for above := int64(0); ; {
		first, err := t.ReserveIDs(storeKey, kind, above, n)
		if err != nil {
			return 0, err
		}
		// The next attempt is above all ids in use that are in the way, and not above
		// the highest one: that can be any number.
		above = first - 1
		for _, id := range inUse {
			if id > above && id <= above+n {
				above = id
			}
		}
		if above < first {
			return first, nil
		}
	}
}

// Option returns an option of a kind of a product, or KindNotFound.
func (t *Tx) Option(storeKey string, productID int64, kind cohort.OptionKind, id int64) (cohort.Option, error) {
	w := whereOptions(storeKey, productID, kind)
	w.and("id = ?", id)
	o, err := scanOption(t.Lookup("SELECT "+optionColumns+" FROM product_options"+w.text.String(), w.args...))
	if errors.Is(err, txn.ErrNoRows) {
		return o, cohort.NotFound(optionName(kind, id))
	}
	if err != nil {
		return o, err
	}
	_, err = t.readChoices(storeKey, []cohort.Option{o}, func(whole cohort.Option) bool {
		o = whole
		return true
	})
	return o, err
}

// OptionIDByName returns the id of the option or modifier of a product with a name, without
// regard to case, or 0.
func (t *Tx) OptionIDByName(storeKey string, productID int64, name string) (int64, error) {
	return t.findID("SELECT id FROM product_options WHERE store_hash = $1 AND product_id = $2 AND name_folded = $3",
		storeKey, productID, Fold(name))
}

// optionBatch is the number of options whose choices are read with one query.
const optionBatch = 25

// ReadOptions calls fn with the options of a page, by id, until fn returns false. fn must
// not use the transaction.
func (t *Tx) ReadOptions(storeKey string, productID int64, kind cohort.OptionKind, p cohort.Page, fn func(cohort.Option) (more bool)) error {
	list := listing[cohort.Option]{
		columns: optionColumns, table: "product_options", where: func() *where { return whereOptions(storeKey, productID, kind) },
		keys: byID, scan: scanOption,
	}
	p, err := list.forwards(t, p)
	for err == nil && p.Size > 0 {
		var batch []cohort.Option
		batch, err = all(func(fn func(cohort.Option) bool) error { return list.each(t, p, optionBatch, fn) })
		if err != nil || len(batch) == 0 {
			return err
		}
		rest := p.Rest(strconv.FormatInt(batch[len(batch)-1].ID, 10), len(batch))
		more, err := t.readChoices(storeKey, batch, fn)
		if err != nil || !more || len(batch) < optionBatch {
			return err
		}
		p = rest
	}
	return err
}

// readChoices calls fn with each of at least one options, which are in the order of their
// ids, with its choices. An option with its choices can have more than a megabyte, so it
// keeps the choices of one option at a time.
func (t *Tx) readChoices(storeKey string, options []cohort.Option, fn func(cohort.Option) (more bool)) (more bool, err error) {
	ids := make([]int64, len(options))
	for i, o := range options {
		ids[i] = o.ID
	}
	w := whereStore(storeKey)
	in(w, "option_id", ids)
	rows, err := t.Query("SELECT "+choiceColumns+", option_id FROM option_choices"+w.text.String()+" ORDER BY option_id, id", w.args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var choices []cohort.Choice // of options[0]
	next := func() (more bool) {
		o := options[0]
		o.Choices = choices
		options, choices = options[1:], nil
		return fn(o)
	}
	for rows.Next() {
		var option int64
		c, err := scanChoiceAnd(rows, &option)
		if err != nil {
			return false, err
		}
		for options[0].ID != option {
			if !next() {
				return false, nil
			}
		}
		choices = append(choices, c)
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	for len(options) > 0 {
		if !next() {
			return false, nil
		}
	}
	return true, nil
}

// CountOptions returns how many options of a kind a product has.
func (t *Tx) CountOptions(storeKey string, productID int64, kind cohort.OptionKind) (n int64, err error) {
	w := whereOptions(storeKey, productID, kind)
	err = t.QueryRow("SELECT count(*) FROM product_options"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereOptions(storeKey string, productID int64, kind cohort.OptionKind) *where {
	w := whereStore(storeKey)
	w.and("product_id = ?", productID)
	w.flag("is_modifier", new(kind == cohort.Modifier))
	return w
}

// ReadChoices calls fn with the choices of a page of an option, by id, until fn returns
// false.
func (t *Tx) ReadChoices(storeKey string, optionID int64, p cohort.Page, fn func(cohort.Choice) (more bool)) error {
	return listing[cohort.Choice]{
		columns: choiceColumns, table: "option_choices", where: func() *where { return whereChoices(storeKey, optionID) },
		keys: byID, scan: func(row txn.Scanner) (cohort.Choice, error) { return scanChoiceAnd(row) },
	}.each(t, p, p.Size, fn)
}

// CountChoices returns how many choices an option has.
func (t *Tx) CountChoices(storeKey string, optionID int64) (n int64, err error) {
	w := whereChoices(storeKey, optionID)
	err = t.QueryRow("SELECT count(*) FROM option_choices"+w.text.String(), w.args...).Scan(&n)
	return n, err
}

func whereChoices(storeKey string, optionID int64) *where {
	w := whereStore(storeKey)
	w.and("option_id = ?", optionID)
	return w
}

// UpdateOption overwrites an option and those of its choices that differ from before, the
// option as read in this transaction, and adds choices without an id. It returns the option
// with the ids of these. Choices that after does not have stay. The caller has locked the
// product. inUse is as in CreateOption.
func (t *Tx) UpdateOption(storeKey string, before, after cohort.Option, inUse []cohort.OptionValue) (cohort.Option, error) {
	err := t.Later("UPDATE product_options SET display_name = $3, name_folded = $4, type = $5, details = $6 WHERE store_hash = $1 AND id = $2",
		storeKey, after.ID, after.DisplayName, Fold(after.DisplayName), after.Type, encodeDetails(after.Details))
	if err != nil {
		return after, err
	}
	if after, err = t.putChoices(storeKey, before, after, inUse); err != nil {
		return after, err
	}
	return after, t.recordOption(storeKey, &before, &after)
}

// putChoices writes the choices of an option that differ from those before.
func (t *Tx) putChoices(storeKey string, before, after cohort.Option, inUse []cohort.OptionValue) (cohort.Option, error) {
	after.Choices = slices.Clone(after.Choices)
	var fresh []int
	for i, c := range after.Choices {
		if c.ID == 0 {
			fresh = append(fresh, i)
			continue
		}
		if was, err := before.Choice(c.ID); err == nil && sameChoice(was, c) {
			continue
		}
		price := c.PriceAdjuster()
		err := t.Later(`UPDATE option_choices SET label = $3, is_default = $4, price_adjuster = $5, price_amount = $6, details = $7
			WHERE store_hash = $1 AND id = $2`,
			storeKey, c.ID, c.Label, c.IsDefault, price.Kind, fromAmount(price.Amount), encodeDetails(c.Details))
		if err != nil {
			return after, err
		}
	}
	if len(fresh) == 0 {
		return after, nil
	}
	next, err := t.unusedIDs(storeKey, "option_value", int64(len(fresh)), idsOf(inUse, func(v cohort.OptionValue) int64 { return v.ValueID }))
	if err != nil {
		return after, err
	}
	for n, i := range fresh {
		c := &after.Choices[i]
		c.ID = next + int64(n)
		price := c.PriceAdjuster()
		err := t.Later("INSERT INTO option_choices (store_hash, option_id, price_adjuster, price_amount, "+choiceColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			storeKey, after.ID, price.Kind, fromAmount(price.Amount), c.ID, c.Label, c.IsDefault, encodeDetails(c.Details))
		if err != nil {
			return after, err
		}
	}
	return after, nil
}

func sameChoice(a, b cohort.Choice) bool {
	return a.Label == b.Label && a.IsDefault == b.IsDefault && encodeDetails(a.Details) == encodeDetails(b.Details)
}

// DeleteOption deletes an option with its choices. The caller has read it in this
// transaction, under the lock of its product.
func (t *Tx) DeleteOption(storeKey string, o cohort.Option) error {
	if err := t.Later("DELETE FROM product_options WHERE store_hash = $1 AND id = $2", storeKey, o.ID); err != nil {
		return err
	}
	return t.recordOption(storeKey, &o, nil)
}

// DeleteChoice deletes a choice of an option. The caller has read the option, as for
// DeleteOption.
func (t *Tx) DeleteChoice(storeKey string, o cohort.Option, id int64) error {
	if err := t.Later("DELETE FROM option_choices WHERE store_hash = $1 AND id = $2", storeKey, id); err != nil {
		return err
	}
	after := o
	after.Choices = slices.DeleteFunc(slices.Clone(o.Choices), func(c cohort.Choice) bool { return c.ID == id })
	return t.recordOption(storeKey, &o, &after)
}

func optionName(kind cohort.OptionKind, id int64) string { return fmt.Sprintf("%s %d", kind, id) }

func scanOption(row txn.Scanner) (o cohort.Option, err error) {
	var details string
	var isModifier bool
	if err := row.Scan(&o.ID, &o.ProductID, &isModifier, &o.DisplayName, &o.Type, &details); err != nil {
		return o, err
	}
	o.Kind = cohort.OptionKind(isModifier)
	o.Details, err = decodeDetails(details)
	return o, err
}

// scanChoiceAnd scans a choice and the columns after it.
func scanChoiceAnd(row txn.Scanner, further ...any) (c cohort.Choice, err error) {
	var details string
	if err := row.Scan(append([]any{&c.ID, &c.Label, &c.IsDefault, &details}, further...)...); err != nil {
		return c, err
	}
	c.Details, err = decodeDetails(details)
	return c, err
}
