package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// pollEvery is how often DeliverNow looks whether another node's attempt has ended.
// Attempts of this process notify it.
const pollEvery = 100 * time.Millisecond

var errInProgress = errors.New("an earlier message about the same subject is still being delivered")

// DeliverNow delivers a message whose transaction is committed, while a request waits.
// It returns nil once the message, or a later one about the subject, is delivered, and
// otherwise the error of the attempt; workers make the next ones. nil is no message.
//
// If another attempt about the subject is running, DeliverNow waits for its end, for
// up to the kind's timeout. The end of ctx ends this wait. It does not interrupt an
// attempt, whose outcome would be unknown.
func (o *Outbox) DeliverNow(ctx context.Context, p *Pending) error {
	if p == nil {
		return nil
	}
	ctx = db.Unchecked(ctx) // the change is committed, even if the token is revoked now
	if p.leasedAt.IsZero() {
		return o.await(ctx, p.job)
	}
	// A failure to record a delivery does not concern the caller: a worker delivers
	// the same version again, which changes nothing.
	return o.attempt(ctx, p.job, p.leasedAt, callPlainly).Failure
}

// await waits for the end of the attempt that another caller is making about the
// subject of a job, and makes one itself if the job is still not delivered. It returns
// nil when the version of the job, or a later one, is delivered, or the job is dropped.
func (o *Outbox) await(ctx context.Context, j db.Job) error {
	timeout := time.NewTimer(o.kinds[j.Kind].Timeout)
	defer timeout.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		released := o.nextRelease() // before the read, so as not to miss a release after it
		if done, err := o.tryPending(ctx, j); done {
			return err
		}
		select {
		case <-released:
		case <-poll.C:
		case <-timeout.C:
			return errInProgress
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tryPending reads the current state of a job, and makes an attempt if no worker or
// request holds its lease. It returns done false while the job is leased.
func (o *Outbox) tryPending(ctx context.Context, mine db.Job) (done bool, err error) {
	var j db.Job
	err = o.db.View(ctx, func(tx *db.Tx) error {
		j, err = tx.JobOn(mine.StoreKey, mine.Kind, mine.Subject)
		return err
	})
	switch {
	case cohort.KindOf(err) == cohort.KindNotFound, err == nil && isDelivered(j, mine):
		return true, nil
	case err != nil:
		return true, err
	case j.Leased(o.now()):
		return false, nil
	case j.Attempt > 0:
		// An attempt at this version or a later one has failed since mine was written.
		return true, errors.New(j.LastError)
	}
	leasedAt := time.Now()
	j.LeasedBy, j.LeaseUntil = rand.Text(), o.timestamp().Add(o.kinds[j.Kind].leaseTime())
	err = o.db.Update(ctx, func(tx *db.Tx) error {
		leased, err := tx.LeaseJob(j, o.timestamp())
		if err == nil {
			j = leased
		}
		return err
	})
	if cohort.KindOf(err) == cohort.KindNotFound {
		return false, nil // another caller has leased it in between
	}
	if err != nil {
		return true, err
	}
	return true, o.attempt(ctx, j, leasedAt, callPlainly).Failure
}

// isDelivered reports whether the version of a job, or a later one, is delivered. A
// delivered job is deleted, and a later one on the same subject has another id.
func isDelivered(now, mine db.Job) bool {
	return now.ID != mine.ID || now.DoneVersion >= mine.Version
}
