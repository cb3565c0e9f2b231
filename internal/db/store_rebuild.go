package db

import (
	"fmt"
	"time"
)

// IDPlan has the ids of a store whose content is replaced, by the kinds of
// [txn.Tx.NextID].
type IDPlan struct {
	Next map[string][]int64 // the next ids, in the order of their use
	Last map[string]int64   // the greatest ids that Next will have; others come after them
}

// RebuildStore replaces the content of a store by what fill writes, with the ids of the
// plan, to which fill may add. What ClearStore says holds for it too.
func (t *Tx) RebuildStore(storeKey string, at time.Time, ids *IDPlan, fill func() error) error {
	if err := t.replaceContent(storeKey, at, ids.Last); err != nil {
		return err
	}
	return t.GiveIDs(storeKey, ids.Next, fill)
}

// datedTables are the tables whose rows have dates and an id, by the kind of the id.
var datedTables = map[string]string{
	"channel": "channels", "customer_attribute": "customer_attributes", "product": "products", "price_list": "price_lists",
	"customer_group": "customer_groups", "customer": "customers",
}

// SetDates sets the dates of a row, by the kind of its id. It is for a transaction that
// rewrites a store, and notes no change.
func (t *Tx) SetDates(storeKey, kind string, id int64, created, modified time.Time) error {
	table, ok := datedTables[kind]
	if !ok {
		return fmt.Errorf("a %s has no dates", kind)
	}
	return t.Later("UPDATE "+table+" SET date_created = $3, date_modified = $4 WHERE store_hash = $1 AND id = $2",
		storeKey, id, created.UnixMilli(), modified.UnixMilli())
}
