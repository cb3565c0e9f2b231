package service

import (
	"context"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// PutAttributeValues sets values of attributes of customers, all or none, and returns
// them in order, as stored. It uses the customer, the attribute and the text of each
// value, and overwrites the value that the customer has. It returns ItemErrors if a
// customer or an attribute does not exist, if a text is no value of the attribute's
// type, or if two values have the same customer and attribute.
func (s *Service) PutAttributeValues(ctx context.Context, storeKey string, values []cohort.AttributeValue) (stored []cohort.AttributeValue, err error) {
	customers := distinctOf(values, func(v cohort.AttributeValue) int64 { return v.CustomerID })
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		found, err := tx.LockCustomers(storeKey, customers)
		if err != nil {
			return err
		}
		wrong, err := checkAttributeValues(tx, storeKey, values, "value")
		if err != nil {
			return err
		}
		for i, v := range values {
			if !slices.Contains(found, v.CustomerID) {
				wrong[i] = errUnknownCustomer
			}
		}
		if len(wrong) > 0 {
			return wrong
		}
		attributes := distinctOf(values, func(v cohort.AttributeValue) int64 { return v.AttributeID })
		before, err := tx.AttributeValuesForUpdate(storeKey, customers, attributes)
		if err != nil {
			return err
		}
		if err := tx.PutAttributeValues(storeKey, s.datedValues(storeKey, values, before), before); err != nil {
			return err
		}
		after, err := tx.AttributeValuesForUpdate(storeKey, customers, attributes)
		stored = inOrderOf(values, after)
		return err
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

// checkAttributeValues checks values against the types of their attributes, and keeps the
// attributes from being deleted until the transaction ends. It returns the errors of the
// items; field is the name of the text in the body. It does not check the customers.
func checkAttributeValues(tx *db.Tx, storeKey string, values []cohort.AttributeValue, field string) (cohort.ItemErrors, error) {
	held, err := tx.HoldAttributes(storeKey, distinctOf(values, func(v cohort.AttributeValue) int64 { return v.AttributeID }))
	if err != nil {
		return nil, err
	}
	wrong := cohort.ItemErrors{}
	seen := map[valueKey]bool{}
	for i, v := range values {
		a, found := held[v.AttributeID]
		switch {
		case !found:
			wrong[i] = cohort.Invalid("attribute_id", "invalid attribute ID")
		case seen[keyOfValue(v)]:
			wrong[i] = cohort.Invalid("attribute_id", "Another item of the request has the same customer and attribute.")
		default:
			if err := a.Type.CheckValue(field, v.Value); err != nil {
				wrong[i] = err
			}
		}
		seen[keyOfValue(v)] = true
	}
	return wrong, nil
}

// valueKey identifies a value of an attribute.
type valueKey struct{ customer, attribute int64 }

func keyOfValue(v cohort.AttributeValue) valueKey { return valueKey{v.CustomerID, v.AttributeID} }

// datedValues returns values to write, with the ids and dates of those that exist.
func (s *Service) datedValues(storeKey string, values, before []cohort.AttributeValue) []cohort.AttributeValue {
	now := s.timestamp(storeKey)
	dated := make([]cohort.AttributeValue, len(values))
	for i, v := range inOrderOf(values, before) {
		dated[i] = cohort.AttributeValue{
			ID: v.ID, CustomerID: values[i].CustomerID, AttributeID: values[i].AttributeID, Value: values[i].Value,
			DateCreated: now, DateModified: laterOf(now, v.DateModified),
		}
	}
	return dated
}

// inOrderOf returns for each value the one of list with the same customer and attribute,
// or the zero value.
func inOrderOf(values, list []cohort.AttributeValue) []cohort.AttributeValue {
	of := make(map[valueKey]cohort.AttributeValue, len(list))
	for _, v := range list {
		of[keyOfValue(v)] = v
	}
	ordered := make([]cohort.AttributeValue, len(values))
	for i, v := range values {
		ordered[i] = of[keyOfValue(v)]
	}
	return ordered
}

// distinctOf returns the distinct ids of items, ascending.
func distinctOf[T any](items []T, id func(T) int64) []int64 {
	ids := make([]int64, len(items))
	for i, item := range items {
		ids[i] = id(item)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// ReadAttributeValues sends one page of the values that pass the filter, by id, to a
// sink. It returns the number of all that pass.
func (s *Service) ReadAttributeValues(ctx context.Context, storeKey string, f cohort.AttributeValueFilter, p cohort.Page, to Sink[cohort.AttributeValue]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadAttributeValues(storeKey, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountAttributeValues(storeKey, f)
		return err
	})
	return total, err
}

// DeleteAttributeValues deletes values by their ids, and ignores ids of none.
func (s *Service) DeleteAttributeValues(ctx context.Context, storeKey string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.update(ctx, storeKey, func(tx *db.Tx) error { return tx.DeleteAttributeValues(storeKey, ids) })
}
