package service

import (
	"fmt"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// newOptionType is the type of options that come with a new product. Source: an example of
// the vendor's reference, which says nothing about it.
const newOptionType = "radio_buttons"

// newVariants are the variants of a product to create, and its options. Until these are
// stored, the ids in option values are those in the options: 1, 2, … for options, and for
// the choices of each.
type newVariants struct {
	options  []cohort.Option
	variants []cohort.Variant
	names    map[string]int64         // the ids of options by their folded names
	labels   map[db.ChoiceLabel]int64 // the ids of choices
}

// planVariants returns the variants and options of a product, whose SKU is sku. The option
// values of the updates have labels and no ids. It returns PartErrors of KindInvalid.
func planVariants(sku string, us []cohort.VariantUpdate) (plan newVariants, err error) {
	plan.names, plan.labels = map[string]int64{}, map[db.ChoiceLabel]int64{}
	wrong := cohort.ItemErrors{}
	skus, values := map[string]bool{sku: true}, map[string]int{}
	for i, u := range us {
		v, err := plan.add(u)
		if err == nil && v.SKU != "" && skus[v.SKU] {
			err = cohort.Invalid("sku", errSKUTaken.Reason)
		}
		key := optionKey(v)
		if other, ok := values[key]; err == nil && ok {
			err = cohort.Invalid("option_values", fmt.Sprintf("The variant at %d has the same option values.", other))
		}
		if err != nil {
			wrong[i] = err
			continue
		}
		skus[v.SKU], values[key] = true, i
	}
	if len(wrong) > 0 {
		return plan, PartErrors{"variants", wrong}
	}
	return plan, nil
}

// optionKey is equal for variants with the same option values.
func optionKey(v cohort.Variant) string {
	keys := make([]string, len(v.OptionValues))
	for i, o := range v.OptionValues {
		keys[i] = fmt.Sprint(o.OptionID, "/", o.ValueID)
	}
	slices.Sort(keys)
	return fmt.Sprint(keys)
}

// add adds a variant, and those of its options and choices that are new.
func (n *newVariants) add(u cohort.VariantUpdate) (v cohort.Variant, err error) {
	v = u.Apply(v)
	v.OptionValues = nil
	if len(u.OptionLabels) > cohort.MaxOptionValues {
		return v, cohort.Invalid("option_values", fmt.Sprintf("A variant has at most %d option values.", cohort.MaxOptionValues))
	}
	for _, label := range u.OptionLabels {
		value, err := n.value(label)
		if err != nil {
			return v, err
		}
		if slices.ContainsFunc(v.OptionValues, func(o cohort.OptionValue) bool { return o.OptionID == value.OptionID }) {
			return v, cohort.Invalid("option_values", fmt.Sprintf("There must be at most one value of option %q.", label.Option))
		}
		v.OptionValues = append(v.OptionValues, value)
	}
	n.variants = append(n.variants, v)
	return v, v.Validate()
}

// value returns the option value with a label, and adds it if it is new.
func (n *newVariants) value(label cohort.OptionLabel) (value cohort.OptionValue, err error) {
	name := db.Fold(label.Option)
	option := n.names[name]
	if option == 0 {
		if len(n.options) == cohort.MaxOptions {
			return value, cohort.Invalid("option_values", fmt.Sprintf("A product has at most %d options.", cohort.MaxOptions))
		}
		n.options = append(n.options, cohort.Option{DisplayName: label.Option, Type: newOptionType, Details: sortOrder(len(n.options))})
		option = int64(len(n.options))
		n.names[name] = option
	}
	o := &n.options[option-1]
	choice := db.ChoiceLabel{OptionID: option, Label: label.Choice}
	if n.labels[choice] == 0 {
		if len(o.Choices) == cohort.MaxChoices {
			return value, cohort.Invalid("option_values", fmt.Sprintf("An option has at most %d values.", cohort.MaxChoices))
		}
		o.Choices = append(o.Choices, cohort.Choice{Label: label.Choice, Details: sortOrder(len(o.Choices))})
		n.labels[choice] = int64(len(o.Choices))
	}
	return cohort.OptionValue{OptionID: option, ValueID: n.labels[choice]}, nil
}

func sortOrder(place int) cohort.Details {
	return cohort.Details{"sort_order": []byte(strconv.Itoa(place))}
}

// checkSKUs returns PartErrors of KindConflict for variants whose SKU another has.
func (n newVariants) checkSKUs(tx *db.Tx, storeKey string) error {
	var skus []string
	for _, v := range n.variants {
		if v.SKU != "" {
			skus = append(skus, v.SKU)
		}
	}
	taken, err := tx.VariantIDsBySKU(storeKey, skus)
	if err != nil || len(taken) == 0 {
		return err
	}
	wrong := cohort.ItemErrors{}
	for i, v := range n.variants {
		if taken[v.SKU] != 0 {
			wrong[i] = errSKUTaken
		}
	}
	return PartErrors{"variants", wrong}
}

// insert adds the options and the variants to a product that this transaction has created.
func (n newVariants) insert(tx *db.Tx, storeKey string, productID int64) error {
	if len(n.variants) == 0 {
		return nil
	}
	stored := make([]cohort.Option, len(n.options))
	for i, o := range n.options {
		o.ProductID = productID
		var err error
		if stored[i], err = tx.CreateOption(storeKey, o, nil); err != nil {
			return err
		}
	}
	first, err := tx.ReserveIDs(storeKey, "variant", 0, int64(len(n.variants)))
	if err != nil {
		return err
	}
	for i, v := range n.variants {
		v.ID, v.ProductID = first+int64(i), productID
		v.OptionValues = slices.Clone(v.OptionValues) // the transaction may run again
		for j, o := range v.OptionValues {
			option := stored[o.OptionID-1]
			v.OptionValues[j] = cohort.OptionValue{OptionID: option.ID, ValueID: option.Choices[o.ValueID-1].ID}
		}
		if err := tx.InsertVariant(storeKey, v); err != nil {
			return err
		}
	}
	return nil
}
