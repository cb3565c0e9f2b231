package db

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const deliveryColumns = "id, hook_id, event_number, subject, scope, body, state, attempt, run_at, status, request, response, error, " +
	"duration, date_created, date_modified"

// ListDeliveries returns up to limit deliveries of a hook, by id.
func (t *Tx) ListDeliveries(storeKey string, f cohort.DeliveryFilter, limit int) ([]cohort.HookDelivery, error) {
	w := whereStore(storeKey)
	w.and("hook_id = ?", f.HookID)
	w.and("id > ?", f.After)
	if f.State != "" {
		w.and("state = ?", string(f.State))
	}
	rows, err := t.Query("SELECT "+deliveryColumns+" FROM hook_deliveries"+w.text.String()+" ORDER BY id LIMIT CAST("+w.arg(limit)+" AS BIGINT)", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanDelivery)
}

func scanDelivery(row txn.Scanner) (d cohort.HookDelivery, err error) {
	var runAt, duration, created, modified int64
	var request string
	err = row.Scan(&d.ID, &d.HookID, &d.EventNumber, &d.Subject, &d.Scope, &d.Body, &d.State, &d.Attempt, &runAt, &d.Status, &request,
		&d.Response, &d.Error, &duration, &created, &modified)
	if err == nil && request != "" {
		if err = json.Unmarshal([]byte(request), &d.RequestHeader); err != nil {
			err = fmt.Errorf("the request of delivery %d: %w", d.ID, err)
		}
	}
	if runAt > 0 {
		d.NextAttempt = fromMillis(runAt)
	}
	d.Duration = time.Duration(duration) * time.Millisecond
	d.DateCreated, d.DateModified = fromMillis(created), fromMillis(modified)
	return d, err
}

// Redeliver makes a delivery of a hook due now, and lets it begin its attempts anew. It returns
// KindNotFound, also for the entry that says that events were lost: it has no subject, and
// nothing can be sent.
func (t *Tx) Redeliver(storeKey string, hookID, id int64, now time.Time) error {
	n, err := t.Exec(`UPDATE hook_deliveries SET state = 'waiting', attempt = 0, run_at = $4, date_modified = $4
		WHERE store_hash = $1 AND hook_id = $2 AND id = $3 AND subject <> ''`,
		storeKey, hookID, id, now.UnixMilli())
	return requireRow(n, err, fmt.Sprintf("delivery %d of hook %d", id, hookID))
}

// HookOfDelivery returns the hook of a delivery, or KindNotFound.
func (t *Tx) HookOfDelivery(storeKey string, id int64) (hookID int64, err error) {
	err = t.Lookup("SELECT hook_id FROM hook_deliveries WHERE store_hash = $1 AND id = $2", storeKey, id).Scan(&hookID)
	if errors.Is(err, txn.ErrNoRows) {
		return 0, cohort.NotFound(fmt.Sprintf("delivery %d", id))
	}
	return hookID, err
}

// DeleteDeliveries deletes up to limit deliveries of a hook. It reports whether there may be
// more.
func (t *Tx) DeleteDeliveries(storeKey string, hookID int64, limit int) (more bool, err error) {
	n, err := t.Exec(`DELETE FROM hook_deliveries WHERE store_hash = $1 AND id IN (
		SELECT id FROM hook_deliveries WHERE store_hash = $1 AND hook_id = $2 ORDER BY id LIMIT CAST($3 AS BIGINT))`, storeKey, hookID, limit)
	return n == int64(limit), err
}

// HookBlocks returns the destinations of a token that are blocked at a time, by domain.
func (t *Tx) HookBlocks(storeKey, client string, now time.Time) ([]cohort.HookBlock, error) {
	rows, err := t.Query(`SELECT domain, blocked_until, reasons FROM hook_blocks
		WHERE store_hash = $1 AND token_id = $2 AND blocked_until > $3 ORDER BY domain COLLATE "C"`, storeKey, client, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (b cohort.HookBlock, err error) {
		var until int64
		var reasons string
		err = row.Scan(&b.Domain, &until, &reasons)
		b.ClientID, b.Until = client, fromMillis(until)
		if err == nil && reasons != "" {
			b.Reasons, err = decodeBlockReasons(reasons)
		}
		return b, err
	})
}

// blockReason is the stored form of a [cohort.HookBlockReason].
type blockReason struct {
	Description string `json:"failure_description"`
	Count       int    `json:"count"`
	Timestamp   int64  `json:"timestamp"` // Unix seconds
}

func decodeBlockReasons(text string) ([]cohort.HookBlockReason, error) {
	var stored []blockReason
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("the reasons of a block: %w", err)
	}
	list := make([]cohort.HookBlockReason, len(stored))
	for i, r := range stored {
		list[i] = cohort.HookBlockReason{Description: r.Description, Count: r.Count, Date: time.Unix(r.Timestamp, 0).UTC()}
	}
	return list, nil
}
