package apiv3

import (
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// shopperFields adds the fields that identify the shopper to a table. For a guest
// they are missing or null.
func shopperFields[T any](table api.Fields[T], shopper func(*T) *service.ShopperQuery) api.Fields[T] {
	table["customer_id"] = nullable(func(t *T) *int64 { return &shopper(t).CustomerID }, texts.ReadIDOrNone)
	table["customer_group_id"] = nullable(func(t *T) **int64 { return &shopper(t).GroupID }, func(v api.Value) (*int64, error) {
		id, err := texts.ReadIDOrNone(v)
		return &id, err
	})
	return table
}

// nullable returns the function for a field where null is the same as no field.
func nullable[T, V any](field func(*T) *V, read func(api.Value) (V, error)) func(*T, api.Value) error {
	set := api.Plain(field, read)
	return func(into *T, v api.Value) error {
		if v.IsNull() {
			return nil
		}
		return set(into, v)
	}
}

// shopperWire is the shopper that the service identified, and why.
type shopperWire struct {
	CustomerID int64  `json:"customer_id,omitempty"`
	GroupID    int64  `json:"customer_group_id"`
	GroupName  string `json:"customer_group_name,omitempty"`
	Reason     string `json:"reason"`
}

func toShopperWire(s service.Shopper) shopperWire {
	w := shopperWire{CustomerID: s.CustomerID, Reason: s.Reason}
	if s.Group != nil {
		w.GroupID, w.GroupName = s.Group.ID, s.Group.Name
	}
	return w
}

// locate adds the field to the paths of errors about items.
func locate(field string, err error) error {
	items, ok := errors.AsType[cohort.ItemErrors](err)
	if !ok {
		return err
	}
	var failed failures
	failed.add(field, items)
	return failed
}
