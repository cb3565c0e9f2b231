package db

import (
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// FlawKind says which rule the rows of a store break.
type FlawKind string

// The kinds of flaws.
const (
	FlawCounter     FlawKind = "counter"      // the next id of a kind is in use
	FlawMembership  FlawKind = "membership"   // customers are in a group that does not exist
	FlawMemberCount FlawKind = "member count" // the stored count of a group is not the number of its members
	FlawAssignment  FlawKind = "assignment"   // a price list is assigned to a group, or a list is, that does not exist
)

// Flaw is something in the rows of a store that neither a request nor a crash can cause:
// the sign of a damaged disk, a statement by hand, or a mistake in Cohort.
type Flaw struct {
	StoreKey string
	Kind     FlawKind
	Text     string // a clause for people
	repair   func(*Tx) error
}

// MaxFlaws is how many flaws of a kind StoreFlaws returns for a store.
const MaxFlaws = 1000

// StoreFlaws returns what is wrong with the rows of a store.
func (t *Tx) StoreFlaws(storeKey string) (flaws []Flaw, err error) {
	for _, find := range []func(*Tx, string) ([]Flaw, error){
		(*Tx).counterFlaws, (*Tx).membershipFlaws, (*Tx).memberCountFlaws, (*Tx).assignmentFlaws,
	} {
		found, err := find(t, storeKey)
		if err != nil {
			return nil, err
		}
		for i := range found {
			found[i].StoreKey = storeKey
		}
		flaws = append(flaws, found...)
	}
	return flaws, nil
}

// RepairStore returns the flaws of a store and repairs them, while other writers of the
// store wait.
func (t *Tx) RepairStore(storeKey string) ([]Flaw, error) {
	if err := t.LockWriters(storeKey); err != nil {
		return nil, err
	}
	flaws, err := t.StoreFlaws(storeKey)
	if err != nil {
		return nil, err
	}
	for _, f := range flaws {
		if err := f.repair(t); err != nil {
			return nil, fmt.Errorf("repair a %s: %w", f.Kind, err)
		}
	}
	return flaws, nil
}

// numbered is a table whose rows have ids of a counter.
type numbered struct{ kind, table, column string }

// numberedTables are the tables with ids of counters. Options and their values are left
// out: their ids may be above the counter, see unusedIDs.
var numberedTables = []numbered{
	{"brand", "brands", "id"},
	{"category", "categories", "id"},
	{"category_tree", "category_trees", "id"},
	{"channel", "channels", "id"},
	{"customer", "customers", "id"},
	{"customer_address", "customer_addresses", "id"},
	{"customer_attribute", "customer_attributes", "id"},
	{"customer_attribute_value", "customer_attribute_values", "id"},
	{"customer_form_field", "customer_form_fields", "id"},
	{"customer_group", "customer_groups", "id"},
	{"customer_metafield", "customer_metafields", "id"},
	{eventIDs, "events", "number"},
	{"hook", "hooks", "id"},
	{deliveryIDs, "hook_deliveries", "id"},
	{"idempotency_key", "idempotency_keys", "id"},
	{jobIDs, "jobs", "id"},
	{"price_list", "price_lists", "id"},
	{"price_list_assignment", "price_list_assignments", "id"},
	{"product", "products", "id"},
	{"segment", "segments", "number"},
	{"shopper_profile", "shopper_profiles", "number"},
	{"variant", "variants", "id"},
}

// counterFlaws returns the counters that are behind the rows.
func (t *Tx) counterFlaws(storeKey string) (flaws []Flaw, err error) {
	for _, n := range numberedTables {
		last, err := t.LastID(storeKey, n.kind)
		if err != nil {
			return nil, err
		}
		var highest int64
		err = t.QueryRow("SELECT coalesce(max("+n.column+"), 0) FROM "+n.table+" WHERE store_hash = $1", storeKey).Scan(&highest)
		if err != nil {
			return nil, err
		}
		if highest <= last {
			continue
		}
		flaws = append(flaws, Flaw{
			Kind: FlawCounter, Text: fmt.Sprintf("the last %s of table %s is %d, and the counter of new ones is at %d", n.column, n.table, highest, last),
			repair: func(tx *Tx) error {
				_, err := tx.ReserveIDs(storeKey, n.kind, highest, 0)
				return err
			},
		})
	}
	return flaws, nil
}

// membershipFlaws returns the groups that have members and do not exist.
func (t *Tx) membershipFlaws(storeKey string) ([]Flaw, error) {
	rows, err := t.Query(`SELECT customer_group_id, count(*) FROM customers WHERE store_hash = $1 AND customer_group_id <> 0
		AND customer_group_id NOT IN (SELECT id FROM customer_groups WHERE store_hash = $1)
		AND customer_group_id NOT IN `+tombstones+` GROUP BY customer_group_id ORDER BY customer_group_id LIMIT CAST($2 AS BIGINT)`, storeKey, MaxFlaws)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (Flaw, error) {
		var group, members int64
		err := row.Scan(&group, &members)
		return Flaw{
			Kind: FlawMembership, Text: fmt.Sprintf("customers in group %d, which does not exist: %d", group, members),
			// With a tombstone they are in no group at once, and a sweep rewrites their rows.
			repair: func(tx *Tx) error {
				return tx.Later("INSERT INTO departed_groups (store_hash, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", storeKey, group)
			},
		}, err
	})
}

// memberCountFlaws returns the groups whose stored count is wrong. Members of groups that do not
// exist are not counted: membershipFlaws returns those.
func (t *Tx) memberCountFlaws(storeKey string) (flaws []Flaw, err error) {
	stored, err := t.MemberCounts(storeKey)
	if err != nil {
		return nil, err
	}
	actual, err := t.countedMembers(storeKey)
	if err != nil {
		return nil, err
	}
	groups := map[int64]bool{}
	for id, n := range stored {
		groups[id] = n != actual[id]
	}
	for id, n := range actual {
		groups[id] = n != stored[id]
	}
	maps.DeleteFunc(groups, func(_ int64, wrong bool) bool { return !wrong })
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if len(flaws) == MaxFlaws {
			break
		}
		flaws = append(flaws, Flaw{
			Kind: FlawMemberCount, Text: fmt.Sprintf("group %d has %d members, and %d are counted", id, actual[id], stored[id]),
			repair: func(tx *Tx) error { return tx.recountMembers(storeKey, id) },
		})
	}
	return flaws, nil
}

// countedMembers returns the number of members of each group that exists and has some.
func (t *Tx) countedMembers(storeKey string) (map[int64]int64, error) {
	rows, err := t.Query(`SELECT customer_group_id, count(*) FROM customers WHERE store_hash = $1 AND customer_group_id <> 0
		AND customer_group_id IN (SELECT id FROM customer_groups WHERE store_hash = $1)
		GROUP BY customer_group_id`, storeKey)
	if err != nil {
		return nil, err
	}
	counts := map[int64]int64{}
	type count struct{ group, members int64 }
	scan := func(row txn.Scanner) (c count, err error) { return c, row.Scan(&c.group, &c.members) }
	return counts, txn.Each(rows, scan, func(c count) bool { counts[c.group] = c.members; return true })
}

// recountMembers replaces the stored counts of a group.
func (t *Tx) recountMembers(storeKey string, groupID int64) error {
	if err := t.Later("DELETE FROM member_counts WHERE store_hash = $1 AND group_id = $2", storeKey, groupID); err != nil {
		return err
	}
	rows, err := t.Query(fmt.Sprintf(`SELECT id %% %d, count(*) FROM customers WHERE store_hash = $1 AND customer_group_id = $2
		AND customer_group_id IN (SELECT id FROM customer_groups WHERE store_hash = $1) GROUP BY 1 ORDER BY 1`, memberSlots), storeKey, groupID)
	if err != nil {
		return err
	}
	changes := memberChanges{}
	type count struct{ slot, members int64 }
	scan := func(row txn.Scanner) (c count, err error) { return c, row.Scan(&c.slot, &c.members) }
	if err := txn.Each(rows, scan, func(c count) bool { changes.add(groupID, c.slot, c.members); return true }); err != nil {
		return err
	}
	return t.changeMembers(storeKey, changes)
}

// assignmentFlaws returns the assignments whose group or price list does not exist.
func (t *Tx) assignmentFlaws(storeKey string) ([]Flaw, error) {
	rows, err := t.Query("SELECT "+assignmentColumns+` FROM price_list_assignments WHERE store_hash = $1
		AND (price_list_id NOT IN (SELECT id FROM price_lists WHERE store_hash = $1)
			OR customer_group_id <> 0 AND customer_group_id NOT IN (SELECT id FROM customer_groups WHERE store_hash = $1))
		ORDER BY id LIMIT CAST($2 AS BIGINT)`, storeKey, MaxFlaws)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (Flaw, error) {
		a, err := scanAssignment(row)
		return Flaw{
			Kind: FlawAssignment, Text: fmt.Sprintf("assignment %d of price list %d to group %d, one of which does not exist", a.ID, a.PriceListID, a.GroupID),
			repair: func(tx *Tx) error { return tx.DeleteAssignments(storeKey, []cohort.PriceListAssignment{a}) },
		}, err
	})
}
