package db

import (
	"time"
)

// SetEventsSince says that the events of a store are complete from a time on, and not before.
// The zero time: not at all.
func (t *Tx) SetEventsSince(storeKey string, since time.Time) error {
	var at int64
	if !since.IsZero() {
		at = since.UnixMilli()
	}
	return t.Later("UPDATE stores SET events_since = $2 WHERE hash = $1", storeKey, at)
}

// EventsSince returns the time since when the events of a store are complete. ok is false if
// they are not, because the store records none.
func (t *Tx) EventsSince(storeKey string) (since time.Time, ok bool, err error) {
	var on bool
	var at int64
	err = t.Lookup("SELECT events, events_since FROM stores WHERE hash = $1", storeKey).Scan(&on, &at)
	return fromMillis(at), on && at > 0, err
}

// forgetEvents says that the events up to a date are no longer there.
func (t *Tx) forgetEvents(storeKey string, until int64) error {
	return t.Later("UPDATE stores SET events_since = $2 WHERE hash = $1 AND events_since > 0 AND events_since < $2", storeKey, until)
}
