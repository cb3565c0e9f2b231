package db

import (
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// StoresWithHooks returns the keys of the stores, except deleted ones, that have or had hooks.
func (t *Tx) StoresWithHooks() ([]string, error) {
	if t.SQL().Distributed {
		return t.texts(`SELECT hash FROM stores JOIN (SELECT store_hash FROM hook_positions GROUP BY store_hash
			UNION SELECT store_hash FROM hook_deliveries GROUP BY store_hash) AS h ON h.store_hash = hash
			WHERE date_deleted = 0 ORDER BY hash`)
	}
	return t.texts(`SELECT hash FROM stores WHERE date_deleted = 0 AND (EXISTS (SELECT 1 FROM hook_positions WHERE store_hash = stores.hash)
		OR EXISTS (SELECT 1 FROM hook_deliveries WHERE store_hash = stores.hash)) ORDER BY hash`)
}

// UnusedHooks returns the active hooks that have delivered nothing and were not changed since
// a time.
func (t *Tx) UnusedHooks(storeKey string, since time.Time) ([]cohort.Hook, error) {
	rows, err := t.Query(`SELECT id, scope, destination FROM hooks AS h WHERE store_hash = $1 AND is_active AND date_modified < $2
		AND NOT EXISTS (SELECT 1 FROM hook_positions WHERE store_hash = $1 AND hook_id = h.id AND date_used >= $2) ORDER BY id`,
		storeKey, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanHookTarget)
}

func scanHookTarget(row txn.Scanner) (h cohort.Hook, err error) {
	return h, row.Scan(&h.ID, &h.Scope, &h.Destination)
}

// HooksWithDeliveries returns the ids of hooks after one, also deleted ones, that have
// deliveries, up to limit of them.
func (t *Tx) HooksWithDeliveries(storeKey string, after int64, limit int) ([]int64, error) {
	rows, err := t.Query(`WITH RECURSIVE ids (id) AS (
			SELECT min(hook_id) FROM hook_deliveries WHERE store_hash = $1 AND hook_id > $2
			UNION ALL
			SELECT (SELECT min(hook_id) FROM hook_deliveries WHERE store_hash = $1 AND hook_id > ids.id) FROM ids WHERE ids.id IS NOT NULL
		) SELECT id FROM ids WHERE id IS NOT NULL LIMIT CAST($3 AS BIGINT)`, storeKey, after, limit)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanID)
}

// DeleteOldDeliveries deletes up to limit deliveries of a hook that do not wait: those before
// the last keep delivered ones, and those that were last changed before a time. It reports
// whether there may be more.
func (t *Tx) DeleteOldDeliveries(storeKey string, hookID int64, keep int, oldest time.Time, limit int) (more bool, err error) {
	n, err := t.Exec(`DELETE FROM hook_deliveries WHERE store_hash = $1 AND id IN (
		SELECT id FROM hook_deliveries WHERE store_hash = $1 AND hook_id = $2 AND state <> 'waiting' AND (date_modified < $4
			OR state = 'delivered' AND id <= coalesce((SELECT id FROM hook_deliveries WHERE store_hash = $1 AND hook_id = $2 AND state = 'delivered'
				ORDER BY id DESC LIMIT 1 OFFSET CAST($3 AS BIGINT)), 0))
		ORDER BY id LIMIT CAST($5 AS BIGINT))`, storeKey, hookID, keep, oldest.UnixMilli(), limit)
	return n == int64(limit), err
}

// EndOrphanDeliveries makes the waiting deliveries of deleted hooks failed, so that they
// are deleted with age.
func (t *Tx) EndOrphanDeliveries(storeKey string, now time.Time) error {
	return t.Later(`UPDATE hook_deliveries SET state = 'failed', run_at = 0, error = 'The webhook was deleted.', date_modified = $2
		WHERE store_hash = $1 AND state = 'waiting' AND NOT EXISTS (SELECT 1 FROM hooks WHERE store_hash = $1 AND id = hook_deliveries.hook_id)`,
		storeKey, now.UnixMilli())
}

// SkipLostEvents moves the active hooks to a number up to which events were deleted, and
// writes into the log of each that it has lost some. It returns these hooks.
func (t *Tx) SkipLostEvents(storeKey string, number int64, reason string, now time.Time) ([]cohort.Hook, error) {
	rows, err := t.Query(`SELECT h.id, h.scope, h.destination FROM hook_positions AS p JOIN hooks AS h ON h.store_hash = p.store_hash AND h.id = p.hook_id
		WHERE p.store_hash = $1 AND h.is_active AND p.number < $2 ORDER BY h.id`, storeKey, number)
	if err != nil {
		return nil, err
	}
	hooks, err := txn.Collect(rows, scanHookTarget)
	if err != nil || len(hooks) == 0 {
		return nil, err
	}
	lost := make([]cohort.HookDelivery, len(hooks))
	for i, h := range hooks {
		lost[i] = cohort.HookDelivery{HookID: h.ID, EventNumber: number, Scope: h.Scope, State: cohort.DeliveryFailed, Body: "{}",
			Error: reason, DateCreated: now, DateModified: now}
	}
	if err := t.InsertDeliveries(storeKey, lost); err != nil {
		return nil, err
	}
	return hooks, t.Later(`UPDATE hook_positions SET number = $2 WHERE store_hash = $1 AND number < $2
		AND hook_id IN (SELECT id FROM hooks WHERE store_hash = $1 AND is_active)`, storeKey, number)
}
