package outbox

import (
	"context"
	"fmt"
	"time"

	"cohort.example/cohort/internal/db"
)

// Leased is a message whose lease the caller of Lease holds.
type Leased struct {
	Message
	job      db.Job
	leasedAt time.Time
}

// Outcome is what became of an attempt.
type Outcome struct {
	Failure error // nil if the message is delivered
	Dead    bool  // no more attempts are made
	// Unrecorded is the error of recording the outcome in the database. A node makes
	// the attempt again when the lease has expired.
	Unrecorded error
}

// Attempt calls the handler for a leased message and records the outcome. A panic of
// the handler is a failure. The end of ctx does not interrupt Attempt, which takes
// little longer than the kind's timeout.
func (o *Outbox) Attempt(ctx context.Context, l Leased) Outcome {
	defer o.destinations.release(destinationOf(l.job))
	return o.attempt(ctx, l.job, l.leasedAt, recoverPanic)
}

// attempt makes an attempt at a job that is leased since leasedAt, by this process's
// clock. It calls the handler through call.
func (o *Outbox) attempt(ctx context.Context, j db.Job, leasedAt time.Time, call callFunc) (out Outcome) {
	ctx = db.Unchecked(context.WithoutCancel(ctx))
	out.Failure = o.callHandler(ctx, j, leasedAt, call)
	at, again := isAgain(out.Failure)
	if again {
		out.Failure = nil
	}
	o.destinations.observe(destinationOf(j), out.Failure, o.now())
	switch {
	case again:
		out.Unrecorded = o.reschedule(ctx, j, at)
	case out.Failure == nil:
		o.delivered.Add(1)
		out.Unrecorded = o.finish(ctx, j)
	default:
		o.failed.Add(1)
		j = o.afterFailure(j, out.Failure)
		out.Dead = j.State == db.JobDead
		out.Unrecorded = o.db.Update(ctx, func(tx *db.Tx) error { return tx.FailJob(j) })
	}
	o.notifyReleased()
	return out
}

func (o *Outbox) finish(ctx context.Context, j db.Job) error {
	superseded := false
	err := o.db.Update(ctx, func(tx *db.Tx) (err error) {
		superseded, err = tx.FinishJob(j)
		return err
	})
	if superseded {
		o.Wake()
	}
	return err
}

// reschedule releases the lease of a job until a time.
func (o *Outbox) reschedule(ctx context.Context, j db.Job, at time.Time) error {
	if at.IsZero() {
		at = o.storeTime(j.StoreKey)
	}
	return o.db.Update(ctx, func(tx *db.Tx) error { return tx.RescheduleJob(j, at) })
}

// callFunc calls a handler.
type callFunc func(ctx context.Context, h Handler, m Message) error

func callPlainly(ctx context.Context, h Handler, m Message) error { return h.Deliver(ctx, m) }

// recoverPanic keeps a message whose handler panics from ending the process each time
// that its lease expires.
func recoverPanic(ctx context.Context, h Handler, m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler of %s panicked: %v", m.Kind, p)
		}
	}()
	return h.Deliver(ctx, m)
}

// callHandler makes the one call of an attempt. The call ends before another node may
// lease the message, and does not begin if the process was suspended for so long.
func (o *Outbox) callHandler(ctx context.Context, j db.Job, leasedAt time.Time, call callFunc) error {
	kind, ok := o.kinds[j.Kind]
	if !ok {
		return fmt.Errorf("no handler for messages of kind %q", j.Kind)
	}
	ctx, cancel := context.WithTimeout(ctx, kind.Timeout)
	defer cancel()
	ctx, cancel = context.WithDeadline(ctx, leasedAt.Add(kind.leaseTime()-leaseMargin))
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return call(ctx, kind.Handler, messageOf(j))
}

// afterFailure returns a job as it is stored after a failed attempt.
func (o *Outbox) afterFailure(j db.Job, failure error) db.Job {
	j.State, j.LastError = db.JobWaiting, lastError(failure)
	if isPermanent(failure) || j.Attempt+1 >= maxAttempts && !o.kinds[j.Kind].Undying {
		j.State = db.JobDead
	}
	j.RunAt = o.storeTime(j.StoreKey).Add(backoff(j.Attempt+1, failure))
	return j
}
