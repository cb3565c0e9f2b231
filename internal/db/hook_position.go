package db

import (
	"time"

	"cohort.example/cohort/internal/txn"
)

// lastEvent is the number of the last event of the store $1.
const lastEvent = "coalesce((SELECT max(number) FROM events WHERE store_hash = $1), 0)"

// beginHooks makes the hooks of the store $1 begin after the last event at the time $2. A
// condition on them and a conflict clause follow.
const beginHooks = "INSERT INTO hook_positions (store_hash, hook_id, number, date_used) SELECT store_hash, id, " + lastEvent +
	", CAST($2 AS BIGINT) FROM hooks WHERE store_hash = $1"

// BeginHook makes a hook begin with the events after those that have numbers now. at is the
// time of its store.
func (t *Tx) BeginHook(storeKey string, id int64, at time.Time) error {
	return t.Later(beginHooks+" AND id = $3 ON CONFLICT (store_hash, hook_id) DO UPDATE SET number = excluded.number, date_used = excluded.date_used",
		storeKey, at.UnixMilli(), id)
}

// RefreshHooks sets whether a store has an active hook, so that its changes are recorded. It
// follows every change of a hook, in the same transaction.
func (t *Tx) RefreshHooks(storeKey string) error {
	active, err := t.exists("SELECT 1 FROM hooks WHERE store_hash = $1 AND is_active LIMIT 1", storeKey)
	if err != nil {
		return err
	}
	n, err := t.Exec("UPDATE stores SET hooks = $2 WHERE hash = $1 AND hooks <> $2", storeKey, active)
	if err != nil || n == 0 {
		return err
	}
	return t.Note(nil, txn.Change{Kind: txn.StoreUpdated, StoreKey: storeKey})
}

// HoldEvents keeps others from giving numbers to the events of a store. A transaction that
// replaces the content of the store and gives numbers itself calls it first: ReplaceIDs locks
// what a transaction needs that is giving numbers.
func (t *Tx) HoldEvents(storeKey string) error { return t.LockStore(eventNumbers, storeKey) }

// dropDeliveries deletes what the hooks of a store have been told and have yet to be told, and
// which destinations are blocked.
func (t *Tx) dropDeliveries(storeKey string) error {
	for _, table := range []string{"hook_deliveries", "hook_positions", "hook_dispatch", "hook_blocks"} {
		if err := t.Later("DELETE FROM "+table+" WHERE store_hash = $1", storeKey); err != nil {
			return err
		}
	}
	return nil
}

// ResumeHooks makes the hooks of a store whose content was replaced begin with the events
// that are still to come. Hooks of tokens that do not exist any more are deleted. number gives
// numbers to the events until now; it is not called if there are no hooks.
func (t *Tx) ResumeHooks(storeKey string, at time.Time, number func() error) error {
	for _, table := range []string{"hooks", "hook_contacts"} {
		err := t.Later("DELETE FROM "+table+" WHERE store_hash = $1 AND token_id NOT IN (SELECT id FROM tokens WHERE store_hash = $1)", storeKey)
		if err != nil {
			return err
		}
	}
	found, err := t.exists("SELECT 1 FROM hooks WHERE store_hash = $1 LIMIT 1", storeKey)
	if err != nil {
		return err
	}
	if found {
		if err := t.InsertClosing(); err != nil { // events of this transaction have a number then
			return err
		}
		if err := number(); err != nil {
			return err
		}
		err := t.Later(beginHooks+" ON CONFLICT (store_hash, hook_id) DO UPDATE SET number = excluded.number", storeKey, at.UnixMilli())
		if err != nil {
			return err
		}
	}
	return t.RefreshHooks(storeKey)
}

// endHooks deletes all that belongs to the hooks of a token, except their deliveries. It
// follows the deletion of the token.
func (t *Tx) endHooks(storeKey, client string) error {
	err := t.Later("DELETE FROM hook_positions WHERE store_hash = $1 AND hook_id IN (SELECT id FROM hooks WHERE store_hash = $1 AND token_id = $2)",
		storeKey, client)
	if err != nil {
		return err
	}
	for _, table := range []string{"hooks", "hook_contacts", "hook_blocks", "client_secrets"} {
		if err := t.Later("DELETE FROM "+table+" WHERE store_hash = $1 AND token_id = $2", storeKey, client); err != nil {
			return err
		}
	}
	return t.RefreshHooks(storeKey)
}
