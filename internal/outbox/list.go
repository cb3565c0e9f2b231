package outbox

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// State is the state of a message.
type State string

// The states of a message.
const (
	Waiting State = State(db.JobWaiting) // an attempt is due or running
	Dead    State = State(db.JobDead)    // no more attempts are made
)

// Entry is a message as it is stored.
type Entry struct {
	Message
	State       State
	NextAttempt time.Time // not before, by the clock of the store
	LeasedBy    string    // the name of the lease that is held until LeaseUntil, or ""
	LeaseUntil  time.Time
	LastError   string
	Created     time.Time
}

// Leased reports whether an attempt may be running at a time.
func (e Entry) Leased(now time.Time) bool { return e.LeaseUntil.After(now) }

// Counts is how many messages are stored, of all stores, and how many attempts this
// process has made.
type Counts struct {
	Waiting, Dead     int64
	Delivered, Failed int64
}

// Counts counts messages and attempts. With an error, the attempts are still valid.
func (o *Outbox) Counts(ctx context.Context) (c Counts, err error) {
	err = o.db.View(ctx, func(tx *db.Tx) error {
		counts, err := tx.CountJobs()
		c = Counts{Waiting: counts[db.JobWaiting], Dead: counts[db.JobDead]}
		return err
	})
	c.Delivered, c.Failed = o.delivered.Load(), o.failed.Load()
	return c, err
}

// Waiting returns how many messages of a kind wait for an attempt or are running, of all
// stores.
func (o *Outbox) Waiting(ctx context.Context, kind string) (n int64, err error) {
	err = o.db.View(ctx, func(tx *db.Tx) error {
		n, err = tx.CountWaitingJobs(kind)
		return err
	})
	return n, err
}

// List returns the messages of a store, or of all stores if storeKey is empty, in one
// state, or in every state if that is empty. It returns KindNotFound if the store does
// not exist.
func (o *Outbox) List(ctx context.Context, storeKey string, state State) (entries []Entry, err error) {
	err = o.db.View(ctx, func(tx *db.Tx) error {
		if storeKey != "" {
			if _, err := tx.Store(storeKey); err != nil {
				return err
			}
		}
		jobs, err := tx.ListJobs(storeKey, db.JobState(state))
		entries = make([]Entry, len(jobs))
		for i, j := range jobs {
			entries[i] = entryOf(j)
		}
		return err
	})
	return entries, err
}

func entryOf(j db.Job) Entry {
	return Entry{
		Message: messageOf(j), State: State(j.State), NextAttempt: j.RunAt, LeasedBy: j.LeasedBy, LeaseUntil: j.LeaseUntil,
		LastError: j.LastError, Created: j.DateCreated,
	}
}

// Retry makes a message of a store, or all messages if id is 0, due now, with as many
// attempts as a new one, and returns their number. It returns KindNotFound if the
// store or the message does not exist.
func (o *Outbox) Retry(ctx context.Context, storeKey string, id int64) (n int64, err error) {
	err = o.db.Update(db.ForStore(ctx, storeKey), func(tx *db.Tx) error {
		if _, err := tx.Store(storeKey); err != nil {
			return err
		}
		if n, err = tx.RetryJobs(storeKey, id, o.storeTime(storeKey)); err != nil {
			return err
		}
		return requireOne(n, storeKey, id)
	})
	o.Wake()
	return n, err
}

// Drop deletes a message of a store, or all messages if id is 0, and returns their
// number. It does not delete a message whose attempt is running: it returns
// KindConflict for that one, and leaves it out of all messages. It returns
// KindNotFound like Retry.
func (o *Outbox) Drop(ctx context.Context, storeKey string, id int64) (n int64, err error) {
	err = o.db.Update(db.ForStore(ctx, storeKey), func(tx *db.Tx) error {
		if _, err := tx.Store(storeKey); err != nil {
			return err
		}
		if n, err = tx.DropJobs(storeKey, id, o.timestamp()); err != nil || n > 0 || id == 0 {
			return err
		}
		jobs, err := tx.ListJobs(storeKey, "")
		for _, j := range jobs {
			if j.ID == id {
				return o.errRunning(j)
			}
		}
		return cmp.Or(err, requireOne(0, storeKey, id))
	})
	return n, err
}

// errRunning is the KindConflict error for a job with a lease.
func (o *Outbox) errRunning(j db.Job) error {
	left := max(j.LeaseUntil.Sub(o.now()).Round(time.Second), time.Second)
	return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("job %d is being delivered; try again in %s", j.ID, left)}
}

// requireOne returns KindNotFound if a statement about the message with an id changed
// none.
func requireOne(n int64, storeKey string, id int64) error {
	if n == 0 && id != 0 {
		return NotFound(storeKey, id)
	}
	return nil
}

// NotFound is the KindNotFound error for a message of a store.
func NotFound(store string, id int64) error {
	return cohort.NotFound(fmt.Sprintf("job %d of store %s", id, store))
}
