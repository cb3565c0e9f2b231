package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// Recorder says who makes the changes of a transaction, for their events.
type Recorder struct {
	Actor, ActorName, Reason, RequestID string           // see [cohort.Event]
	Now                                 func() time.Time // the clock of the store, in UTC with milliseconds
	// Wanted says that the store records events, as a caller knew a moment ago. If not, it
	// may do so, and the transaction has to look.
	Wanted bool
	// NoHooks says that the store has no active webhook, as a caller knew a moment ago.
	NoHooks bool
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

// lockToDelete locks the rows of a table that this transaction is about to delete, so that
// what their events count stays as it is. column of the rows has one of the ids.
func (t *Tx) lockToDelete(storeKey, table, column string, ids []int64) error {
	lock := t.SQL().ForDelete
	if lock == "" {
		return nil
	}
	w := whereStore(storeKey)
	in(w, column, ids)
	return t.Later("SELECT id FROM "+table+w.text.String()+" ORDER BY id"+lock, w.args...)
}

// fewEvents is how many events are not worth a query that finds out whether they are wanted.
const fewEvents = 100

// eventRows and inboxRows insert events, unless the store records none by then.
var (
	eventRows = closingEvents("events", "number BIGINT")
	inboxRows = closingEvents("event_inbox")
)

func closingEvents(table string, number ...string) *txn.ClosingRows {
	// A lookup for each row: a join might scan all stores.
	const on = "(SELECT events OR hooks FROM stores WHERE hash = new.store_hash)"
	return txn.NewClosingRows(table, on, slices.Concat(number, []string{
		"store_hash TEXT", "date_created BIGINT", "kind TEXT", "group_id BIGINT", "customer_id BIGINT", "product_id BIGINT",
		"price_list_id BIGINT", "ids TEXT", "actor TEXT", "actor_name TEXT", "reason TEXT", "request_id TEXT", "changes TEXT",
	})...)
}

// record adds events, in their order, to the changes of this transaction, unless the store
// records none. They are inserted at the end of the transaction: then it holds the locks of
// its changes.
//
// Where transactions commit in the order in which they allocate ids, the events get their
// numbers here. Elsewhere they go to the inbox; see NumberEvents.
func (t *Tx) record(storeKey string, events ...cohort.Event) error {
	r := t.recorder
	if r == nil || len(events) == 0 {
		return nil
	}
	rows, numbered := inboxRows, t.SQL().CommitsInOrder
	if !r.Wanted && (numbered || len(events) > fewEvents) { // probably for nothing
		if on, err := t.hasEvents(storeKey); err != nil || !on {
			return err
		}
	}
	var number int64
	if numbered {
		var err error
		if number, err = t.ReserveIDs(storeKey, eventIDs, 0, int64(len(events))); err != nil {
			return err
		}
		rows = eventRows
	}
	now := r.Now().UnixMilli()
	for i, e := range events {
		values := make([]any, 0, 14)
		if numbered {
			values = append(values, number+int64(i))
		}
		values = append(values, storeKey, now, string(e.Kind), e.GroupID, e.CustomerID, e.ProductID, e.PriceListID, encodeEventIDs(e.EventIDs),
			r.Actor, r.ActorName, r.Reason, r.RequestID, changesText(e))
		if err := t.InsertAtEnd(rows, values...); err != nil {
			return err
		}
	}
	if t.eventsTold {
		return nil
	}
	t.eventsTold = true
	return t.Note(nil, txn.Change{Kind: txn.EventsRecorded, StoreKey: storeKey, NoHooks: r.NoHooks})
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
