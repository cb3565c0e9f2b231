package db

import (
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// deliveryIDs is the counter of the ids of deliveries.
const deliveryIDs = "hook_delivery"

// HookWork is the pending work of a hook.
type HookWork struct {
	Store cohort.Store
	Hook  cohort.Hook
	// Position is the number of the last event that was looked at; -1: there is none, and no
	// events are told.
	Position     int64
	Secrets      []string         // that sign, the current one first
	BlockedUntil time.Time        // by the clock of the store; zero: no block was written
	Waiting      []HookedDelivery // by id
}

// HookedDelivery is a waiting delivery, without what an attempt needs.
type HookedDelivery struct {
	ID      int64
	Subject string
	RunAt   time.Time
}

// HookWork returns the pending work of a hook, or KindNotFound. domain returns the domain
// of a destination, which may be blocked.
func (t *Tx) HookWork(storeKey string, hookID int64, domain func(destination string) string, now time.Time) (w HookWork, err error) {
	var headers string
	h := &w.Hook
	err = t.Lookup(`SELECT s.hash, coalesce(s.public_hash, s.hash), h.id, token_id, scope, destination, is_active, headers,
			coalesce((SELECT number FROM hook_positions WHERE store_hash = $1 AND hook_id = $2), -1)
		FROM hooks AS h JOIN stores AS s ON s.hash = h.store_hash AND s.date_deleted = 0
		WHERE h.store_hash = $1 AND h.id = $2`, storeKey, hookID).
		Scan(&w.Store.Key, &w.Store.Hash, &h.ID, &h.ClientID, &h.Scope, &h.Destination, &h.Active, &headers, &w.Position)
	if errors.Is(err, txn.ErrNoRows) {
		return w, cohort.NotFound("webhook")
	}
	if err != nil {
		return w, err
	}
	if h.Headers, err = decodeHeaders(headers); err != nil {
		return w, fmt.Errorf("the headers of hook %d: %w", h.ID, err)
	}
	return w, t.addHookWork(&w, domain(h.Destination), now)
}

// The kinds of rows of hookParts.
const (
	hookSecret = iota
	hookBlocked
	hookWaiting
)

// hookParts reads three lists in one round trip: the secrets that sign for the token $3 at
// the time $5, the block of its domain $4, and the waiting deliveries of the hook $2.
const hookParts = `SELECT 0 AS part, 0 AS id, secret AS name, 0 AS at, CASE WHEN date_expires = 0 THEN 0 ELSE 1 END AS place, -date_created AS within
	FROM client_secrets WHERE store_hash = $1 AND token_id = $3 AND (date_expires = 0 OR date_expires > $5)
	UNION ALL SELECT 1, 0, domain, blocked_until, 0, 0 FROM hook_blocks WHERE store_hash = $1 AND token_id = $3 AND domain = $4
	UNION ALL SELECT 2, id, subject, run_at, 0, id FROM hook_deliveries WHERE store_hash = $1 AND hook_id = $2 AND state = 'waiting'
	ORDER BY part, place, within, name`

// addHookWork adds secrets, block and waiting deliveries.
func (t *Tx) addHookWork(w *HookWork, domain string, now time.Time) error {
	rows, err := t.Query(hookParts, w.Store.Key, w.Hook.ID, w.Hook.ClientID, domain, now.UnixMilli())
	if err != nil {
		return err
	}
	type row struct {
		part, id, at int64
		name         string
	}
	scan := func(from txn.Scanner) (r row, err error) {
		var place, within int64
		err = from.Scan(&r.part, &r.id, &r.name, &r.at, &place, &within)
		return r, err
	}
	return txn.Each(rows, scan, func(r row) bool {
		switch r.part {
		case hookSecret:
			w.Secrets = append(w.Secrets, r.name)
		case hookBlocked:
			w.BlockedUntil = fromMillis(r.at)
		case hookWaiting:
			w.Waiting = append(w.Waiting, HookedDelivery{r.id, r.name, fromMillis(r.at)})
		}
		return true
	})
}

// HookDeliveries returns what an attempt at deliveries with some ids needs.
func (t *Tx) HookDeliveries(storeKey string, ids []int64) ([]cohort.HookDelivery, error) {
	rows, err := t.Query(`SELECT id, hook_id, event_number, subject, scope, body, state, attempt, date_created FROM hook_deliveries
		WHERE store_hash = $1 AND id IN (SELECT wanted FROM `+t.SQL().IDTable+") ORDER BY id", storeKey, idText(ids))
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (d cohort.HookDelivery, err error) {
		var created int64
		err = row.Scan(&d.ID, &d.HookID, &d.EventNumber, &d.Subject, &d.Scope, &d.Body, &d.State, &d.Attempt, &created)
		d.DateCreated = fromMillis(created)
		return d, err
	})
}

// HookMove is what became of MoveHook.
type HookMove struct {
	Exists bool // the hook exists
	Active bool // and is active
	Moved  bool // the position was From
}

// MoveHook makes to the position of a hook whose position is from: not if another caller has
// moved it. used says that a delivery was made. With from -1 the hook has no position, and
// nothing is moved. MoveHook keeps others from changing whether the hook is active until
// the transaction ends.
func (t *Tx) MoveHook(storeKey string, hookID, from, to int64, used bool, now time.Time) (m HookMove, err error) {
	const active = "SELECT is_active FROM hooks WHERE store_hash = $1 AND id = $2"
	if lock := t.SQL().ForUpdate; lock != "" {
		if err := t.Later(active+lock, storeKey, hookID); err != nil {
			return m, err
		}
	}
	if from >= 0 {
		err = t.QueryRow(`UPDATE hook_positions SET number = $4, date_used = CASE WHEN CAST($5 AS BOOLEAN) THEN $6 ELSE date_used END
			WHERE store_hash = $1 AND hook_id = $2 AND number = $3 AND EXISTS (`+active+") RETURNING ("+active+")",
			storeKey, hookID, from, to, used, now.UnixMilli()).Scan(&m.Active)
		if err == nil {
			m.Exists, m.Moved = true, true
			return m, nil
		}
		if !errors.Is(err, txn.ErrNoRows) {
			return m, err
		}
	}
	err = t.QueryRow(active, storeKey, hookID).Scan(&m.Active)
	if errors.Is(err, txn.ErrNoRows) {
		return m, nil
	}
	m.Exists, m.Moved = err == nil, from < 0
	return m, err
}

// deliveryRows insert deliveries.
var deliveryRows = txn.NewClosingRows("hook_deliveries", "TRUE", "store_hash TEXT", "id BIGINT", "hook_id BIGINT", "event_number BIGINT",
	"subject TEXT", "scope TEXT", "body TEXT", "state TEXT", "attempt BIGINT", "run_at BIGINT", "status BIGINT", "request TEXT", "response TEXT",
	"error TEXT", "duration BIGINT", "date_created BIGINT", "date_modified BIGINT")

// InsertDeliveries inserts deliveries in the order of their ids, which it allocates. Later
// statements of the transaction see those that wait.
func (t *Tx) InsertDeliveries(storeKey string, list []cohort.HookDelivery) error {
	if len(list) == 0 {
		return nil
	}
	first, err := t.ReserveIDs(storeKey, deliveryIDs, 0, int64(len(list)))
	if err != nil {
		return err
	}
	for i, d := range list {
		insert := t.InsertAtEnd
		if d.State == cohort.DeliveryWaiting { // this transaction may end it
			insert = t.InsertNow
		}
		err := insert(deliveryRows, storeKey, first+int64(i), d.HookID, d.EventNumber, d.Subject, d.Scope, d.Body, string(d.State),
			int64(d.Attempt), millis(d.NextAttempt), int64(d.Status), mustMarshal(d.RequestHeader), d.Response, d.Error, d.Duration.Milliseconds(),
			millis(d.DateCreated), millis(d.DateModified))
		if err != nil {
			return err
		}
	}
	return nil
}

// UpdateDelivery stores the outcome of an attempt at a delivery, unless it waits no more.
func (t *Tx) UpdateDelivery(storeKey string, d cohort.HookDelivery) error {
	return t.Later(`UPDATE hook_deliveries SET state = $3, attempt = $4, run_at = $5, status = $6, request = $7, response = $8, error = $9,
			duration = $10, date_modified = $11
		WHERE store_hash = $1 AND id = $2 AND state = 'waiting'`,
		storeKey, d.ID, string(d.State), d.Attempt, millis(d.NextAttempt), d.Status, mustMarshal(d.RequestHeader), d.Response, d.Error,
		d.Duration.Milliseconds(), millis(d.DateModified))
}

// HookState returns whether a hook exists and is active. It keeps others from changing that
// until the transaction ends.
func (t *Tx) HookState(storeKey string, hookID int64) (exists, active bool, err error) {
	err = t.QueryRow("SELECT is_active FROM hooks WHERE store_hash = $1 AND id = $2"+t.SQL().ForUpdate, storeKey, hookID).Scan(&active)
	if errors.Is(err, txn.ErrNoRows) {
		return false, false, nil
	}
	return err == nil, active, err
}

// FailWaiting makes the waiting deliveries of a hook failed.
func (t *Tx) FailWaiting(storeKey string, hookID int64, reason string, now time.Time) error {
	return t.Later(`UPDATE hook_deliveries SET state = 'failed', run_at = 0, error = $3, date_modified = $4
		WHERE store_hash = $1 AND state = 'waiting' AND hook_id = $2`, storeKey, hookID, reason, now.UnixMilli())
}

// DeactivateHook makes a hook inactive that has failed for too long or was not used, and its
// waiting deliveries failed.
func (t *Tx) DeactivateHook(storeKey string, hookID int64, reason string, now time.Time) error {
	err := t.Later("UPDATE hooks SET is_active = FALSE, is_deactivated = TRUE, date_modified = $3 WHERE store_hash = $1 AND id = $2",
		storeKey, hookID, now.UnixMilli())
	if err != nil {
		return err
	}
	if err := t.FailWaiting(storeKey, hookID, reason, now); err != nil {
		return err
	}
	return t.RefreshHooks(storeKey)
}

// ExceptionHook returns the active hook of a token that is told of failed deliveries, or id 0.
func (t *Tx) ExceptionHook(storeKey, tokenID string) (h cohort.Hook, err error) {
	err = t.QueryRow("SELECT id, destination FROM hooks WHERE store_hash = $1 AND token_id = $2 AND scope = $3 AND is_active ORDER BY id LIMIT 1",
		storeKey, tokenID, cohort.ScopeDeliveryException).Scan(&h.ID, &h.Destination)
	if errors.Is(err, txn.ErrNoRows) {
		return h, nil
	}
	return h, err
}

// CountWaitingDeliveries returns the number of waiting deliveries of a hook.
func (t *Tx) CountWaitingDeliveries(storeKey string, hookID int64) (n int64, err error) {
	err = t.QueryRow("SELECT count(*) FROM hook_deliveries WHERE store_hash = $1 AND hook_id = $2 AND state = 'waiting'", storeKey, hookID).Scan(&n)
	return n, err
}

// CountAllWaiting returns the number of waiting deliveries of all stores.
func (t *Tx) CountAllWaiting() (n int64, err error) {
	err = t.QueryRow("SELECT count(*) FROM hook_deliveries WHERE state = 'waiting'").Scan(&n)
	return n, err
}
