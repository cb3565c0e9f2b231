// Package outbox delivers messages to systems outside the database, at least once
// and in the end always the latest state of each subject. A transaction puts a
// message beside the change that it reports; afterwards the request that made the
// change, or a worker of any node, delivers it.
//
// Messages are kept in the table "jobs". docs/decisions/0050-outbox.md has the
// reasons for the design.
package outbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/db"
)

// Message is the latest state of a subject, to be delivered to a destination.
type Message struct {
	Store string // the store's key
	ID    int64  // counts up within the store; 0 before Put
	Kind  string
	// Subject is what the message is about. A later message of the same store, kind
	// and subject replaces an earlier one, so a message that must not be replaced
	// needs a subject of its own. The subject has to contain the destination if
	// several destinations get a message about the same thing.
	Subject string
	// Destination names where the handler delivers the message to, or is "" if the kind
	// has one destination. Limits and turns are per destination of a kind. It is part of
	// an index, so it should be short, such as an id.
	Destination string
	Version     int64  // goes up within a store with each message
	Payload     []byte // UTF-8
	Attempt     int    // how many attempts at this version have failed
}

// Handler delivers the messages of a kind.
type Handler interface {
	// Deliver returns nil once the message is in effect at its destination. Calls
	// about one subject never run at the same time on any node, but a version may be
	// delivered more than once. Deliver must return when ctx ends. It may wrap an
	// error with Permanent or RetryAfter, and return Again.
	Deliver(ctx context.Context, m Message) error
}

// Kind is how the messages of one kind are delivered.
type Kind struct {
	Handler Handler
	Timeout time.Duration // of one attempt
	// Undying says that the number of failed attempts makes no message dead.
	Undying bool
	// Repeatable says that an attempt does no harm while the destination may still process a
	// call of a process that was killed. Then ReleaseDead ends the leases of that process.
	Repeatable bool
}

// Every lease lasts for the timeout of an attempt and leaseReserve. The reserve is
// time to record the outcome, and it allows the clocks of nodes to differ by some
// seconds. After a crash a message waits for the end of its lease, unless
// ReleaseDead ends it.
const leaseReserve = 8 * time.Second

// leaseMargin is the time at the end of a lease that an attempt leaves to record its
// outcome.
const leaseMargin = 2 * time.Second

// Outbox delivers the messages of a database. Its methods may be called
// concurrently, after the calls of Handle.
type Outbox struct {
	db           *db.DB
	now          func() time.Time
	clocks       *clock.Set
	kinds        map[string]Kind
	wake         chan struct{}
	destinations *destinations

	delivered, failed atomic.Int64
	crowded           atomic.Bool

	mu       sync.Mutex
	released chan struct{} // closed and replaced when a lease is released
	turn     db.Lane       // the last lane that Lease has leased a message of
}

// New returns an outbox without kinds, which reads the time of leases from now, and that
// of messages from the clocks of their stores. A change of a clock wakes it.
func New(d *db.DB, now func() time.Time, clocks *clock.Set) *Outbox {
	o := &Outbox{
		db:           d,
		now:          now,
		clocks:       clocks,
		kinds:        map[string]Kind{},
		wake:         make(chan struct{}, 1),
		destinations: newDestinations(),
		released:     make(chan struct{}),
	}
	clocks.Watch(o.Wake)
	return o
}

// Handle adds a kind, before any other method is called. It panics if the name is
// empty or has a space, or the timeout is not positive.
func (o *Outbox) Handle(name string, k Kind) {
	if name == "" || strings.Contains(name, " ") || k.Timeout <= 0 {
		panic(fmt.Sprintf("outbox: kind %q with timeout %s", name, k.Timeout))
	}
	o.kinds[name] = k
}

// HasKinds reports whether there is a kind, and so whether Run delivers anything.
func (o *Outbox) HasKinds() bool { return len(o.kinds) > 0 }

// Pending is a message whose transaction is about to be committed, for DeliverNow.
type Pending struct {
	job db.Job
	// leasedAt is when this process leased the message, by its own clock; zero if
	// another lease is held.
	leasedAt time.Time
}

// Put writes a message that a worker delivers, in the transaction of the change that
// it reports. It ignores the message's ID, Version and Attempt. The caller holds a
// lock on the subject, or the subject is new, so that versions have the order of the
// changes. After the commit the caller calls Wake.
func (o *Outbox) Put(tx *db.Tx, m Message) error {
	_, err := o.put(tx, m, "")
	return err
}

// PutAll is Put for messages of one store that need no order among themselves. Like Hold, it
// accepts a kind that only another process has.
func (o *Outbox) PutAll(tx *db.Tx, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	store := messages[0].Store
	jobs := make([]db.Job, len(messages))
	for i, m := range messages {
		jobs[i] = db.Job{StoreKey: store, Kind: m.Kind, Subject: m.Subject, Destination: m.Destination, Payload: string(m.Payload)}
	}
	return tx.PutJobs(store, jobs, o.storeTime(store), o.timestamp())
}

// Hold is Put for a message that may have to wait for another process, because this one
// has no kind for it. The result says only that there is a message.
func (o *Outbox) Hold(tx *db.Tx, m Message) (*Pending, error) { return o.write(tx, m, "", 0) }

// PutPending is Put for a message that the caller passes to DeliverNow after the
// commit. It leases the message, unless another lease on the subject is held.
func (o *Outbox) PutPending(tx *db.Tx, m Message) (*Pending, error) {
	return o.put(tx, m, rand.Text())
}

func (o *Outbox) put(tx *db.Tx, m Message, lease string) (*Pending, error) {
	kind, ok := o.kinds[m.Kind]
	if !ok {
		return nil, fmt.Errorf("no handler for messages of kind %q", m.Kind)
	}
	return o.write(tx, m, lease, kind.leaseTime())
}

// write writes a message, with a lease unless it is "".
func (o *Outbox) write(tx *db.Tx, m Message, lease string, leaseTime time.Duration) (*Pending, error) {
	version, err := tx.NextJobVersion(m.Store)
	if err != nil {
		return nil, err
	}
	begun, now := time.Now(), o.timestamp()
	p := &Pending{job: db.Job{
		StoreKey: m.Store, Kind: m.Kind, Subject: m.Subject, Destination: m.Destination, Version: version, Payload: string(m.Payload),
		RunAt: o.storeTime(m.Store), LeasedBy: lease,
	}}
	if lease != "" {
		p.job.LeaseUntil = now.Add(leaseTime)
	}
	var leasedBy string
	if p.job.ID, leasedBy, err = tx.PutJob(p.job, now); err != nil {
		return nil, err
	}
	if lease != "" && leasedBy == lease {
		p.leasedAt = begun
	}
	return p, nil
}

// Has reports whether a message about a subject is in the outbox, so that its
// destination may not have the latest state.
func (o *Outbox) Has(tx *db.Tx, storeKey, kind, subject string) (bool, error) {
	_, err := tx.JobOn(storeKey, kind, subject)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return false, nil
	}
	return err == nil, err
}

// Remove removes the message about a subject, if there is one that is not being delivered.
func (o *Outbox) Remove(tx *db.Tx, storeKey, kind, subject string) error {
	j, err := tx.JobOn(storeKey, kind, subject)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return nil
	}
	if err == nil {
		_, err = tx.DropJobs(storeKey, j.ID, o.timestamp())
	}
	return err
}

// Wake makes Run look for due messages now.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // Run is about to look
	}
}

// Woken is what Run waits on for Wake.
func (o *Outbox) Woken() <-chan struct{} { return o.wake }

// IsCrowded reports whether messages waited, when Run last looked, for the end of attempts of
// this process. A handler that could keep its lease for later messages about the subject
// gives it back then.
func (o *Outbox) IsCrowded() bool { return o.crowded.Load() }

// nextRelease returns a channel that is closed when this process next releases a
// lease.
func (o *Outbox) nextRelease() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.released
}

func (o *Outbox) notifyReleased() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.released)
	o.released = make(chan struct{})
}

// timestamp is the system's time for a column, which has milliseconds.
func (o *Outbox) timestamp() time.Time { return o.now().UTC().Truncate(time.Millisecond) }

// storeTime is the time of a store for a column.
func (o *Outbox) storeTime(storeKey string) time.Time {
	return o.clocks.At(storeKey, o.now()).UTC().Truncate(time.Millisecond)
}

// times are the times of all stores.
func (o *Outbox) times() db.Times {
	now := o.timestamp()
	return db.Times{System: now, Stores: o.clocks.Times(now)}
}

func (k Kind) leaseTime() time.Duration { return k.Timeout + leaseReserve }

func messageOf(j db.Job) Message {
	return Message{
		Store: j.StoreKey, ID: j.ID, Kind: j.Kind, Subject: j.Subject, Destination: j.Destination,
		Version: j.Version, Payload: []byte(j.Payload), Attempt: j.Attempt,
	}
}
