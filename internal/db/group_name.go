package db

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// groupNames is the index that keeps the names of a store's groups unique, without
// regard to case. Groups of one name from before the index have different values of
// name_copy; see docs/decisions/0059.
var groupNames = txn.UniqueIndex{
	Name: "customer_groups_by_name", Column: "customer_groups.name_copy",
	Taken: cohort.Invalid("name", "Another customer group has this name."),
}

// nameOrder is the key of groupNames for [txn.Tx.LaterInOrder].
func nameOrder(storeKey, folded string) string { return storeKey + "\x00" + folded }

// releaseName is called after a group with this folded name is deleted or renamed. If
// that group had the name_copy 0, and groups from before the index have the name too,
// one of them gets the 0. Without it, the index would accept a new group of the name.
//
// Two transactions may release a name at once. Each locks the row that it changes, and
// takes the next one if the other transaction has deleted or renamed that row. A
// group that is about to lose the 0 in a transaction which is not committed still
// counts here: that transaction passes the 0 on itself.
func (t *Tx) releaseName(storeKey, folded string) error {
	const named = "SELECT id FROM customer_groups WHERE store_hash = $1 AND name_folded = $2 AND name_copy "
	return t.Later("UPDATE customer_groups SET name_copy = 0 WHERE store_hash = $1 AND id = ("+
		named+"> 0 AND NOT EXISTS ("+named+"= 0) ORDER BY name_copy LIMIT 1"+t.SQL().ForUpdate+")", storeKey, folded)
}
