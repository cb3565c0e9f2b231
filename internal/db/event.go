package db

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"cohort.example/cohort"
)

// Recorder says who makes the changes of a transaction, for their events.
type Recorder struct {
	Actor, ActorName, Reason, RequestID string           // see [cohort.Event]
	Now                                 func() time.Time // the clock of the store, in UTC with milliseconds
	// Wanted says that the store records events, as a caller knew a moment ago. If not, it
	// may do so, and the transaction has to look.
	Wanted bool
}

type recorderKey struct{}

// WithRecorder returns a context for transactions that record their changes as events, if
// the store wants that. Transactions of other contexts record nothing.
func WithRecorder(ctx context.Context, r *Recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

func recorderOf(ctx context.Context) *Recorder {
	r, _ := ctx.Value(recorderKey{}).(*Recorder)
	return r
}

// eventIDs is the counter of the numbers of events.
const eventIDs = "event"

// eventColumns are the columns of events and event_inbox after the key.
const eventColumns = "date_created, kind, group_id, customer_id, product_id, price_list_id, ids, actor, actor_name, reason, request_id, changes"

// records reports whether this transaction may have to record changes of a store, so that
// a caller need not read what only an event says.
func (t *Tx) records() bool { return t.recorder != nil }

// recordsFor is records for a caller that would read much. If the recorder does not know
// whether the store records events, it looks.
func (t *Tx) recordsFor(storeKey string) (bool, error) {
	if t.recorder == nil || t.recorder.Wanted {
		return t.recorder != nil, nil
	}
	return t.hasEvents(storeKey)
}

// recordChunk is how many events one statement inserts. SQLite accepts 500 parts of a UNION.
const recordChunk = 100

// record adds events, in their order, to the changes of this transaction, unless the store
// records none. It must follow the statement that makes the change: then the change holds
// its locks.
//
// Where transactions commit in the order in which they allocate ids, the events get their
// numbers here. Elsewhere they go to the inbox, without waiting for a result; see
// NumberEvents.
func (t *Tx) record(storeKey string, events ...cohort.Event) error {
	if t.recorder == nil {
		return nil
	}
	if !t.recorder.Wanted && len(events) > recordChunk { // many statements for nothing, probably
		if on, err := t.hasEvents(storeKey); err != nil || !on {
			return err
		}
	}
	for chunk := range slices.Chunk(events, recordChunk) {
		put := t.putNumbered
		if !t.SQL().CommitsInOrder {
			put = t.putIntoInbox
		}
		if err := put(storeKey, chunk); err != nil {
			return err
		}
	}
	return nil
}

// putNumbered inserts events with their numbers.
func (t *Tx) putNumbered(storeKey string, events []cohort.Event) error {
	if !t.recorder.Wanted {
		if on, err := t.hasEvents(storeKey); err != nil || !on {
			return err
		}
	}
	first, err := t.ReserveIDs(storeKey, eventIDs, 0, int64(len(events)))
	if err != nil {
		return err
	}
	return t.insertEvents(storeKey, "events", "number, ", first, events)
}

// putIntoInbox inserts events into the inbox. The tickets follow the order of the events.
func (t *Tx) putIntoInbox(storeKey string, events []cohort.Event) error {
	return t.insertEvents(storeKey, "event_inbox", "", 0, events)
}

// insertEvents inserts events if the store records events. If number names a column, it has
// the numbers from first on.
func (t *Tx) insertEvents(storeKey, table, number string, first int64, events []cohort.Event) error {
	w := &where{}
	value := func(v any, kind string) string { return "CAST(" + w.arg(v) + " AS " + kind + ")" }
	w.text.WriteString("INSERT INTO " + table + " (store_hash, " + number + eventColumns + ") SELECT hash, ")
	if number != "" {
		w.text.WriteString(value(first, "BIGINT") + " + n, ")
	}
	r := t.recorder
	w.text.WriteString(value(r.Now().UnixMilli(), "BIGINT") + ", kind, group_id, customer_id, product_id, price_list_id, ids, " +
		value(r.Actor, "TEXT") + ", " + value(r.ActorName, "TEXT") + ", " + value(r.Reason, "TEXT") + ", " + value(r.RequestID, "TEXT") +
		", changes FROM stores CROSS JOIN (")
	for i, e := range events {
		if i > 0 {
			w.text.WriteString(" UNION ALL ")
		}
		w.text.WriteString("SELECT " + strconv.Itoa(i) + " AS n, " + value(string(e.Kind), "TEXT") + " AS kind, " +
			value(e.GroupID, "BIGINT") + " AS group_id, " + value(e.CustomerID, "BIGINT") + " AS customer_id, " +
			value(e.ProductID, "BIGINT") + " AS product_id, " + value(e.PriceListID, "BIGINT") + " AS price_list_id, " +
			value(encodeEventIDs(e.EventIDs), "TEXT") + " AS ids, " + value(changesText(e), "TEXT") + " AS changes")
	}
	w.text.WriteString(") AS e WHERE hash = " + w.arg(storeKey) + " AND (events OR hooks)")
	if len(events) > 1 {
		w.text.WriteString(" ORDER BY n")
	}
	return t.Later(w.text.String(), w.args...)
}

// changesText is the stored form of the changes of an event.
func changesText(e cohort.Event) string { return cmp.Or(string(e.Changes), "{}") }

// hasEvents reports whether the store records events.
func (t *Tx) hasEvents(storeKey string) (bool, error) {
	if t.eventsStore == storeKey {
		return t.eventsOn, nil
	}
	var n int
	if err := t.Lookup("SELECT count(*) FROM stores WHERE hash = $1 AND (events OR hooks)", storeKey).Scan(&n); err != nil {
		return false, err
	}
	t.eventsStore, t.eventsOn = storeKey, n > 0
	return t.eventsOn, nil
}
