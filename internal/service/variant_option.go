package service

import (
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// resolveOptions returns option values for a variant of a product, with the ids of those
// that labels name, by index. It returns KindInvalid unless each belongs to a stored option
// of the product. A product without stored options takes any ids, because imports bring
// variants without their options. The caller has locked the product.
func resolveOptions(tx *db.Tx, storeKey string, productID int64, values []cohort.OptionValue, labels []cohort.OptionLabel) ([]cohort.OptionValue, error) {
	if len(values) == 0 || len(values) > cohort.MaxOptionValues {
		return values, nil // Validate refuses it
	}
	options, err := tx.VariantOptions(storeKey, productID)
	if err != nil {
		return nil, err
	}
	if labels != nil {
		if values, err = findLabels(tx, storeKey, options, values, labels); err != nil {
			return nil, err
		}
	}
	if len(options) == 0 {
		return values, nil
	}
	return values, checkOptionValues(tx, storeKey, productID, options, values)
}

// findLabels returns the option values with the ids of those that have none.
func findLabels(tx *db.Tx, storeKey string, options []cohort.Option, values []cohort.OptionValue, labels []cohort.OptionLabel) ([]cohort.OptionValue, error) {
	byName := map[string]int64{}
	for _, o := range options {
		byName[db.Fold(o.DisplayName)] = o.ID
	}
	wanted := make([]db.ChoiceLabel, len(values))
	for i, v := range values {
		wanted[i].OptionID = v.OptionID
		if v.OptionID != 0 {
			continue
		}
		wanted[i] = db.ChoiceLabel{OptionID: byName[db.Fold(labels[i].Option)], Label: labels[i].Choice}
		if wanted[i].OptionID == 0 {
			return nil, cohort.Invalid("option_values", fmt.Sprintf("The product has no option %q.", labels[i].Option))
		}
	}
	ids, err := tx.ChoicesByLabel(storeKey, wanted)
	if err != nil {
		return nil, err
	}
	found := slices.Clone(values)
	for i, v := range values {
		if v.OptionID != 0 {
			continue
		}
		found[i] = cohort.OptionValue{OptionID: wanted[i].OptionID, ValueID: ids[wanted[i]]}
		if found[i].ValueID == 0 {
			return nil, cohort.Invalid("option_values", fmt.Sprintf("Option %q has no value %q.", labels[i].Option, labels[i].Choice))
		}
	}
	return found, nil
}

func checkOptionValues(tx *db.Tx, storeKey string, productID int64, options []cohort.Option, values []cohort.OptionValue) error {
	has := map[int64]bool{}
	for _, o := range options {
		has[o.ID] = true
	}
	stored, err := tx.StoredValues(storeKey, productID, values)
	if err != nil {
		return err
	}
	for _, v := range values {
		if !has[v.OptionID] {
			return cohort.Invalid("option_values", fmt.Sprintf("Option %d is not an option of the product.", v.OptionID))
		}
		if !stored[v] {
			return cohort.Invalid("option_values", fmt.Sprintf("Option value %d does not belong to option %d.", v.ValueID, v.OptionID))
		}
	}
	return nil
}
