package apiv3

import (
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// shopperFields adds to a table the fields that say for whom something is asked.
// For nobody they can be left out or null.
func shopperFields[T any](table fields[T], shopper func(*T) *service.ShopperQuery) fields[T] {
	table["customer_id"] = nullable(func(t *T) *int64 { return &shopper(t).CustomerID }, readIDOrNone)
	table["customer_group_id"] = nullable(func(t *T) **int64 { return &shopper(t).GroupID }, func(v api.Value) (*int64, error) {
		id, err := readIDOrNone(v)
		return &id, err
	})
	return table
}

// nullable makes a table entry for a field where null means that it is left out.
func nullable[T, V any](field func(*T) *V, read func(api.Value) (V, error)) func(*T, api.Value) error {
	set := plain(field, read)
	return func(into *T, v api.Value) error {
		if v.IsNull() {
			return nil
		}
		return set(into, v)
	}
}

// shopperWire is who somebody was taken for.
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

// placed puts what is wrong with items inside the field that has them.
func placed(field string, err error) error {
	items, ok := errors.AsType[cohort.ItemErrors](err)
	if !ok {
		return err
	}
	var failed failures
	failed.add(field, items)
	return failed
}
