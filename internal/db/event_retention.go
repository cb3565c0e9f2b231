package db

import (
	"cmp"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// EventRetention says which events of a store are kept.
type EventRetention struct {
	Oldest time.Time // events with an earlier date are deleted
	Most   int64     // how many events are kept
	// Needed and Needless: the events after number Needed are kept for webhooks, even if they
	// are old or many, but not those up to Needless numbers before the last one.
	Needed, Needless int64
}

// StoresWithEvents returns the stores, except deleted ones, that have events.
func (t *Tx) StoresWithEvents() ([]cohort.Store, error) {
	from := ` FROM stores WHERE date_deleted = 0 AND (EXISTS (SELECT 1 FROM events WHERE store_hash = stores.hash)
		OR EXISTS (SELECT 1 FROM event_inbox WHERE store_hash = stores.hash)) ORDER BY hash`
	if t.SQL().Distributed {
		from = ` FROM stores JOIN (SELECT store_hash FROM counters AS c WHERE kind = '` + eventIDs + `'
				AND EXISTS (SELECT 1 FROM events AS e WHERE e.store_hash = c.store_hash)
			UNION SELECT store_hash FROM event_inbox) AS e ON e.store_hash = hash
			WHERE date_deleted = 0 ORDER BY hash`
	}
	rows, err := t.Query("SELECT " + storeColumns + from)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanStore)
}

// DeleteOldEvents deletes up to limit events of a store that are not kept, the oldest first,
// up to the first one that is kept. It returns the number of the last one that it has
// deleted, or 0, and reports whether there may be more.
func (t *Tx) DeleteOldEvents(storeKey string, kept EventRetention, limit int) (deleted int64, more bool, err error) {
	rows, err := t.Query("SELECT number, date_created FROM events WHERE store_hash = $1 ORDER BY number LIMIT CAST($2 AS BIGINT)", storeKey, limit)
	if err != nil {
		return 0, false, err
	}
	list, err := txn.Collect(rows, func(s txn.Scanner) (r datedEvent, err error) { return r, s.Scan(&r.number, &r.date) })
	if err != nil || len(list) == 0 {
		return 0, false, err
	}
	var last int64
	if err := t.Lookup("SELECT max(number) FROM events WHERE store_hash = $1", storeKey).Scan(&last); err != nil {
		return 0, false, err
	}
	n := 0
	for n < len(list) && !kept.keeps(list[n], last) {
		n++
	}
	if n == 0 {
		return 0, false, nil
	}
	youngest := slices.MaxFunc(list[:n], func(a, b datedEvent) int { return cmp.Compare(a.date, b.date) }).date
	if err := t.forgetEvents(storeKey, youngest); err != nil {
		return 0, false, err
	}
	deleted = list[n-1].number
	return deleted, n == limit, t.Later("DELETE FROM events WHERE store_hash = $1 AND number <= $2", storeKey, deleted)
}

type datedEvent struct{ number, date int64 }

// keeps reports whether an event is kept in a store whose last event is last.
func (r EventRetention) keeps(e datedEvent, last int64) bool {
	if e.date >= r.Oldest.UnixMilli() && e.number > last-r.Most {
		return true
	}
	return e.number > r.Needed && e.number > last-r.Needless
}
