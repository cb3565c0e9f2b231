package db

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// notContent are the tables of a store that are not part of its content: they are neither in
// snapshots nor cleared by a reset. Counters are content, but txn has to write them.
var notContent = []string{
	"stores", "operators", "store_generations", "tokens", "counters", "catalog_imports", "jobs", "idempotency_keys", "snapshots", "events",
	"client_secrets", "hook_positions", "hook_dispatch", "hook_deliveries", "hook_blocks",
}

// jobIDs is a counter that ClearStore keeps: the versions of jobs only grow, so that a
// delivery which is still under way never looks newer than a later one.
const jobIDs = "job"

// keptIDs are the counters that ClearStore keeps. The numbers of events only grow too: events
// are not content, so they tell what was before. So do the ids of deliveries.
var keptIDs = []string{jobIDs, eventIDs, deliveryIDs}

// contentTables returns the tables with the content of stores, each after those that it
// references.
func contentTables() (tables []table) {
	for _, t := range copied {
		staged := slices.ContainsFunc(stagedTables, func(s staged) bool { return s.table.name == t.name })
		if !staged && !slices.Contains(notContent, t.name) {
			tables = append(tables, t)
		}
	}
	return tables
}

// ClearStore deletes all that a store contains: it is then as CreateStore leaves it, with
// the settings, plan and tokens that it has. Ids begin at 1 again, and the rest of the
// transaction allocates them itself, so it may create the store too. Pending deliveries are
// dropped, except those that are under way, and so are the deliveries of hooks and
// idempotency keys. Other writers of the store wait until the transaction ends. A transaction
// that gives the store hooks again calls ResumeHooks at the end.
//
// It must come before other statements about the store, except CreateStore, and its context
// must not be one of ForStore or ForBearer. It returns KindNotFound, KindUnavailable during
// an import, and KindInvalid for a store with more than MaxSnapshotRows.
func (t *Tx) ClearStore(storeKey string, at time.Time) error {
	return t.replaceContent(storeKey, at, nil)
}

// replaceContent deletes the content of a store, and makes last the last ids of the store.
func (t *Tx) replaceContent(storeKey string, at time.Time, last map[string]int64) error {
	if err := t.holdContent(storeKey, at); err != nil {
		return err
	}
	if err := t.holdLeftRows(storeKey); err != nil {
		return err
	}
	filled, _, err := t.filledTables(storeKey)
	if err != nil {
		return err
	}
	for _, table := range slices.Backward(filled) {
		if err := t.Later("DELETE FROM "+table.name+" WHERE store_hash = $1", storeKey); err != nil {
			return err
		}
	}
	if _, err := t.DropJobs(storeKey, 0, at); err != nil {
		return err
	}
	if err := t.dropKeys(storeKey); err != nil { // a retry must not tell of what is gone
		return err
	}
	if err := t.ReplaceIDs(storeKey, last, keptIDs...); err != nil {
		return err
	}
	if err := t.dropDeliveries(storeKey); err != nil {
		return err
	}
	if t.recorder != nil {
		at = t.recorder.Now() // by the clock of the store
	}
	// Events of before do not lead to what the store contains now.
	if err := t.forgetEvents(storeKey, at.UnixMilli()); err != nil {
		return err
	}
	if err := t.record(storeKey, cohort.Event{Kind: cohort.StoreReplaced}); err != nil {
		return err
	}
	return t.Note(t.Later("UPDATE stores SET hooks = FALSE WHERE hash = $1 AND hooks", storeKey), txn.Change{Kind: txn.StoreReplaced, StoreKey: storeKey})
}

// holdContent keeps other transactions from writing what a store contains until this one
// ends: requests, the command line, and imports.
func (t *Tx) holdContent(storeKey string, at time.Time) error {
	if err := t.LockWriters(storeKey); err != nil {
		return err
	}
	if _, err := t.StoreForUpdate(storeKey); err != nil {
		return err
	}
	return t.HoldCatalog(storeKey, at)
}

// filledTables returns the tables in which a store has content, and the number of its rows.
// It returns KindInvalid for more than MaxSnapshotRows.
func (t *Tx) filledTables(storeKey string) (filled []table, rows int64, err error) {
	tables := contentTables()
	counts := make([]int64, len(tables))
	into := make([]any, len(tables))
	selects := make([]string, len(tables))
	for i, table := range tables {
		into[i] = &counts[i]
		selects[i] = "(SELECT count(*) FROM (SELECT 1 FROM " + table.name + " WHERE store_hash = $1 LIMIT CAST($2 AS BIGINT)) AS counted)"
	}
	err = t.QueryRow("SELECT "+strings.Join(selects, ", "), storeKey, cohort.MaxSnapshotRows+1).Scan(into...)
	if err != nil {
		return nil, 0, err
	}
	for i, n := range counts {
		if rows += n; n > 0 {
			filled = append(filled, tables[i])
		}
	}
	if rows > cohort.MaxSnapshotRows {
		return nil, 0, &cohort.Error{Kind: cohort.KindInvalid, Reason: fmt.Sprintf(
			"The store has more than %d rows, so it can be neither saved, restored nor reset. Create another one instead.", cohort.MaxSnapshotRows)}
	}
	return filled, rows, nil
}

// leftRows are the rows that say what sweeps of a store have to do. Sweeps lock them.
var leftRows = []string{
	"departed_groups WHERE store_hash = $1", "departed_members WHERE store_hash = $1",
	"profile_generations WHERE store_hash = $1 AND swept < generation", "customer_attributes WHERE store_hash = $1 AND date_deleted > 0",
}

// holdLeftRows waits for the running sweeps of a store, and keeps others from beginning until
// the transaction ends. Otherwise one of them could go on with what it has read before.
func (t *Tx) holdLeftRows(storeKey string) error {
	lock := t.SQL().ForDelete
	if lock == "" {
		return nil
	}
	for _, rows := range leftRows {
		if err := t.Later("SELECT 1 FROM "+rows+lock, storeKey); err != nil {
			return err
		}
	}
	return nil
}

// sweepAll does at once what sweeps of a store have to do. The content then has no rows that
// reads ignore.
func (t *Tx) sweepAll(storeKey string) error {
	exists := make([]string, len(leftRows))
	for i, rows := range leftRows {
		exists[i] = "EXISTS (SELECT 1 FROM " + rows + ")"
	}
	var left bool
	if err := t.QueryRow("SELECT "+strings.Join(exists, " OR "), storeKey).Scan(&left); err != nil || !left {
		return err
	}
	if err := t.holdLeftRows(storeKey); err != nil {
		return err
	}
	for _, query := range []string{
		`UPDATE customers SET customer_group_id = 0 WHERE store_hash = $1
			AND customer_group_id IN (SELECT group_id FROM departed_groups WHERE store_hash = $1)`,
		"DELETE FROM departed_groups WHERE store_hash = $1",
		`DELETE FROM segment_members WHERE store_hash = $1
			AND (segment, epoch) IN (SELECT segment, epoch FROM departed_members WHERE store_hash = $1)`,
		"DELETE FROM departed_members WHERE store_hash = $1",
		"DELETE FROM shopper_profiles WHERE store_hash = $1 AND generation < " + currentGeneration,
		"UPDATE profile_generations SET swept = generation WHERE store_hash = $1",
		`DELETE FROM customer_attribute_values WHERE store_hash = $1
			AND attribute_id IN (SELECT id FROM customer_attributes WHERE store_hash = $1 AND date_deleted > 0)`,
		"DELETE FROM customer_attributes WHERE store_hash = $1 AND date_deleted > 0",
	} {
		if err := t.Later(query, storeKey); err != nil {
			return err
		}
	}
	return nil
}

// copyContent copies the content of a store in some tables to another key.
func (t *Tx) copyContent(from, to string, tables []table) error {
	for _, table := range tables {
		names := table.columnNames()
		query := "INSERT INTO " + table.name + " (" + names + ") SELECT CAST($2 AS TEXT)" + strings.TrimPrefix(names, "store_hash") +
			" FROM " + table.name + " WHERE store_hash = $1"
		if err := t.Later(query, from, to); err != nil {
			return err
		}
	}
	return nil
}
