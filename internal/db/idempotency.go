package db

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort/internal/txn"
)

// IdempotencyKey identifies a request that its client may repeat.
type IdempotencyKey struct {
	StoreKey string
	TokenID  string // of the request
	Key      string // as the client chose it
}

// KeptAnswer is the answer to a request with an idempotency key.
type KeptAnswer struct {
	Fingerprint string // of the request
	Status      int
	Header      string // JSON
	Body        string
	// BusyUntil is when the answer can change no more, by the system clock.
	BusyUntil   time.Time
	DateCreated time.Time // by the clock of the store
}

// HoldKey locks a key until the transaction ends. It returns false if a transaction of
// another node has the lock.
func (t *Tx) HoldKey(k IdempotencyKey) (free bool, err error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", k.StoreKey, k.TokenID, k.Key))
	return t.TryLock(k.StoreKey, [8]byte(sum[:8]))
}

// KeptAnswer returns the answer that is kept for a key, however old it is, or found
// false. span is at least the number of the store's keys.
func (t *Tx) KeptAnswer(k IdempotencyKey) (a KeptAnswer, found bool, span int64, err error) {
	var busy, created int64
	err = t.Lookup(`SELECT
			coalesce((SELECT max(id) FROM idempotency_keys WHERE store_hash = $1), 0)
				- coalesce((SELECT min(id) FROM idempotency_keys WHERE store_hash = $1), 1) + 1,
			coalesce(k.fingerprint, ''), coalesce(k.status, 0), coalesce(k.header, ''), coalesce(k.body, ''),
			coalesce(k.busy_until, 0), coalesce(k.date_created, 0)
		FROM (SELECT 1) AS one
		LEFT JOIN idempotency_keys AS k ON k.store_hash = $1 AND k.token_id = $2 AND k.request_key = $3`,
		k.StoreKey, k.TokenID, k.Key).Scan(&span, &a.Fingerprint, &a.Status, &a.Header, &a.Body, &busy, &created)
	if err != nil || a.Status == 0 {
		return KeptAnswer{}, false, span, err
	}
	a.DateCreated = fromMillis(created)
	if busy > 0 {
		a.BusyUntil = fromMillis(busy)
	}
	return a, true, span, nil
}

// KeepAnswer keeps the answer for a key that is held. It replaces an older one.
func (t *Tx) KeepAnswer(k IdempotencyKey, a KeptAnswer) error {
	id, err := t.NextID(k.StoreKey, "idempotency_key")
	if err != nil {
		return err
	}
	return t.Later(`INSERT INTO idempotency_keys (store_hash, id, token_id, request_key, fingerprint, status, header, body, busy_until, date_created)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (store_hash, token_id, request_key) DO UPDATE
		SET id = $2, fingerprint = $5, status = $6, header = $7, body = $8, busy_until = $9, date_created = $10`,
		k.StoreKey, id, k.TokenID, k.Key, a.Fingerprint, a.Status, a.Header, a.Body, millis(a.BusyUntil), a.DateCreated.UnixMilli())
}

// ChangeAnswer replaces status, header and body of the answer that is kept for a key, if
// there still is one. It can change no more then.
func (t *Tx) ChangeAnswer(k IdempotencyKey, a KeptAnswer) error {
	return t.Later(`UPDATE idempotency_keys SET status = $4, header = $5, body = $6, busy_until = 0
		WHERE store_hash = $1 AND token_id = $2 AND request_key = $3`,
		k.StoreKey, k.TokenID, k.Key, a.Status, a.Header, a.Body)
}

// dropKeys deletes the keys of a store.
func (t *Tx) dropKeys(storeKey string) error {
	return t.Later("DELETE FROM idempotency_keys WHERE store_hash = $1", storeKey)
}

// NextStoreWithKeys returns the first store after a store key that has idempotency keys,
// with the date of the key with the lowest id, or "" for none.
func (t *Tx) NextStoreWithKeys(after string) (storeKey string, first time.Time, err error) {
	var created int64
	err = t.Lookup("SELECT store_hash, date_created FROM idempotency_keys WHERE store_hash > $1 ORDER BY store_hash, id LIMIT 1", after).
		Scan(&storeKey, &created)
	if errors.Is(err, txn.ErrNoRows) {
		return "", first, nil
	}
	return storeKey, fromMillis(created), err
}

// SweepKeys looks at the keys of a store with the lowest ids, as many as sweepChunk, and
// deletes those that were created at or before a time, or after another one: the store's
// clock may have been set back. It reports whether it has deleted them all.
func (t *Tx) SweepKeys(storeKey string, until, after time.Time) (more bool, err error) {
	n, err := t.Exec(fmt.Sprintf(`DELETE FROM idempotency_keys WHERE store_hash = $1
		AND id IN (SELECT id FROM idempotency_keys WHERE store_hash = $1 ORDER BY id LIMIT %d)
		AND (date_created <= $2 OR date_created > $3)`, sweepChunk),
		storeKey, until.UnixMilli(), after.UnixMilli())
	return n == sweepChunk, err
}
