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
	// Keep is the number from which on events are kept, however old or many they are,
	// because somebody still needs them; 0: none.
	Keep int64
}

// StoresWithEvents returns the stores, except deleted ones, that have events.
func (t *Tx) StoresWithEvents() ([]cohort.Store, error) {
	rows, err := t.Query("SELECT " + storeColumns + ` FROM stores WHERE date_deleted = 0 AND (EXISTS (SELECT 1 FROM events WHERE store_hash = stores.hash)
		OR EXISTS (SELECT 1 FROM event_inbox WHERE store_hash = stores.hash)) ORDER BY hash`)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanStore)
}

// DeleteOldEvents deletes up to limit events of a store that are not kept, the oldest first:
// those that are too old in front of the first one that is not, and those that are too many.
// It reports whether there may be more.
func (t *Tx) DeleteOldEvents(storeKey string, kept EventRetention, limit int) (more bool, err error) {
	rows, err := t.Query("SELECT number, date_created FROM events WHERE store_hash = $1 ORDER BY number LIMIT CAST($2 AS BIGINT)", storeKey, limit)
	if err != nil {
		return false, err
	}
	type row struct{ number, date int64 }
	list, err := txn.Collect(rows, func(s txn.Scanner) (r row, err error) { return r, s.Scan(&r.number, &r.date) })
	if err != nil || len(list) == 0 {
		return false, err
	}
	var last int64
	if err := t.Lookup("SELECT max(number) FROM events WHERE store_hash = $1", storeKey).Scan(&last); err != nil {
		return false, err
	}
	n := 0
	for n < len(list) && (kept.Keep == 0 || list[n].number < kept.Keep) && (list[n].date < kept.Oldest.UnixMilli() || list[n].number <= last-kept.Most) {
		n++
	}
	if n == 0 {
		return false, nil
	}
	if err := t.forgetEvents(storeKey, slices.MaxFunc(list[:n], func(a, b row) int { return cmp.Compare(a.date, b.date) }).date); err != nil {
		return false, err
	}
	return n == limit, t.Later("DELETE FROM events WHERE store_hash = $1 AND number <= $2", storeKey, list[n-1].number)
}
