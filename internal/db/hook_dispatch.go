package db

import (
	"errors"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// HookDispatch is how far the hooks of a store were woken.
type HookDispatch struct {
	Active     bool  // the store has an active hook
	Unnumbered bool  // NumberEvents has something to do
	Number     int64 // of the last event for which hooks were woken
	Last       int64 // the highest number of an event
}

// HookDispatch returns how far the hooks of a store were woken. Without a row of its own, a
// store has woken none. A store that does not exist has no active hook.
func (t *Tx) HookDispatch(storeKey string) (d HookDispatch, err error) {
	err = t.QueryRow(`SELECT hooks AND date_deleted = 0,
			EXISTS (SELECT 1 FROM event_inbox WHERE store_hash = $1),
			coalesce((SELECT number FROM hook_dispatch WHERE store_hash = $1), 0),
			coalesce((SELECT max(number) FROM events WHERE store_hash = $1), 0)
		FROM stores WHERE hash = $1`, storeKey).Scan(&d.Active, &d.Unnumbered, &d.Number, &d.Last)
	if errors.Is(err, txn.ErrNoRows) {
		return d, nil
	}
	return d, err
}

// StoresToDispatch returns the keys of the stores that have active hooks and events after
// the last one for which hooks were woken, or events without a number.
func (t *Tx) StoresToDispatch() ([]string, error) {
	if t.SQL().Distributed {
		return t.texts(`SELECT h.store_hash FROM (SELECT store_hash FROM hooks WHERE is_active GROUP BY store_hash) AS h
			JOIN stores AS s ON s.hash = h.store_hash WHERE s.hooks AND s.date_deleted = 0 AND (
			EXISTS (SELECT 1 FROM event_inbox WHERE store_hash = h.store_hash)
			OR coalesce((SELECT max(number) FROM events WHERE store_hash = h.store_hash), 0)
				> coalesce((SELECT number FROM hook_dispatch WHERE store_hash = h.store_hash), 0))
		ORDER BY 1`)
	}
	return t.texts(`SELECT hash FROM stores WHERE hooks AND date_deleted = 0 AND (
			EXISTS (SELECT 1 FROM event_inbox WHERE store_hash = stores.hash)
			OR coalesce((SELECT max(number) FROM events WHERE store_hash = stores.hash), 0)
				> coalesce((SELECT number FROM hook_dispatch WHERE store_hash = stores.hash), 0))
		ORDER BY hash`)
}

// texts returns the texts that a query finds.
func (t *Tx) texts(query string, args ...any) ([]string, error) {
	rows, err := t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanText)
}

func scanText(row txn.Scanner) (text string, err error) { return text, row.Scan(&text) }

// EventsAfter returns up to limit numbered events with a higher number, fewer if they are
// large.
func (t *Tx) EventsAfter(storeKey string, after int64, limit int) ([]cohort.Event, error) {
	var page cohort.EventPage
	_, err := t.readEvents(storeKey, nil, after, 1<<62, limit, &page)
	return page.Events, err
}

// ActiveHooks returns id, scope and destination of the active hooks that have one of some
// scopes, by id.
func (t *Tx) ActiveHooks(storeKey string, scopes []string) ([]cohort.Hook, error) {
	w := whereStore(storeKey)
	w.text.WriteString(" AND is_active")
	in(w, "scope", scopes)
	// In the order of an index SQLite would read all hooks of the store.
	rows, err := t.Query("SELECT id, scope, destination FROM hooks"+w.text.String()+" ORDER BY "+t.SQL().NoIndex+"id", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanHookTarget)
}

// MoveHookDispatch says that the hooks were woken for the events up to a number.
func (t *Tx) MoveHookDispatch(storeKey string, number int64) error {
	return t.Later(`INSERT INTO hook_dispatch (store_hash, number) VALUES ($1, $2)
		ON CONFLICT (store_hash) DO UPDATE SET number = $2 WHERE hook_dispatch.number < $2`, storeKey, number)
}

// AwaitHookEvent makes the position of a hook the event before a number, if the hook has no
// job: it wants none of the events before that one, or has got them. It must come before the
// job is put, in the same transaction.
func (t *Tx) AwaitHookEvent(storeKey, jobKind, subject string, hookID, number int64, now time.Time) error {
	return t.LaterInOrder(storeKey+" position "+subject, `INSERT INTO hook_positions (store_hash, hook_id, number, date_used)
		SELECT store_hash, id, CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM hooks
		WHERE store_hash = $1 AND id = $2 AND NOT EXISTS (SELECT 1 FROM jobs WHERE store_hash = $1 AND kind = $5 AND subject = $6)
		ON CONFLICT (store_hash, hook_id) DO UPDATE SET number = excluded.number WHERE hook_positions.number < excluded.number`,
		storeKey, hookID, number-1, now.UnixMilli(), jobKind, subject)
}

// AdvanceHooks moves the positions of the hooks without a job to the event up to which hooks
// were woken, so that the events before it can be deleted.
func (t *Tx) AdvanceHooks(storeKey, jobKind string) error {
	return t.Later(`UPDATE hook_positions SET number = (SELECT number FROM hook_dispatch WHERE store_hash = $1)
		WHERE store_hash = $1 AND number < (SELECT number FROM hook_dispatch WHERE store_hash = $1)
		AND NOT EXISTS (SELECT 1 FROM jobs WHERE store_hash = $1 AND kind = $2 AND subject = CAST(hook_positions.hook_id AS TEXT))`,
		storeKey, jobKind)
}

// FirstHookPosition returns the lowest position of an active hook. Without one it is the
// highest number there is.
func (t *Tx) FirstHookPosition(storeKey string) (number int64, err error) {
	err = t.QueryRow(`SELECT coalesce(min(p.number), 9223372036854775807) FROM hook_positions AS p
		JOIN hooks AS h ON h.store_hash = p.store_hash AND h.id = p.hook_id
		WHERE p.store_hash = $1 AND h.is_active`, storeKey).Scan(&number)
	return number, err
}

// HookTarget returns id, scope and destination of a hook, or KindNotFound.
func (t *Tx) HookTarget(storeKey string, hookID int64) (h cohort.Hook, err error) {
	h, err = scanHookTarget(t.QueryRow("SELECT id, scope, destination FROM hooks WHERE store_hash = $1 AND id = $2", storeKey, hookID))
	if errors.Is(err, txn.ErrNoRows) {
		return h, cohort.NotFound("webhook")
	}
	return h, err
}
