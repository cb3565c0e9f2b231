package service

import (
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// PushTimeout is how long another system may take to answer, all in all.
const PushTimeout = 2 * time.Second

// leaseTime is how long nobody else tries a job that somebody is at. It is longer
// than an attempt takes, and by so much that clocks of nodes may differ by some
// seconds. What a process that is killed was at has to wait for so long.
const leaseTime = 10 * time.Second

// leaseMargin is what an attempt leaves of its lease to note how it ended.
const leaseMargin = 2 * time.Second

// lookEvery is how often a request that waits for another node's attempt looks how
// that is getting on. Of this process's attempts it hears.
const lookEvery = 100 * time.Millisecond

// How long a job waits after an attempt that failed: longer from one to the next,
// up to a bound. After maxAttempts, which takes between half a day and a day,
// nobody tries it any more.
const (
	firstWait   = time.Second
	longestWait = 5 * time.Minute
	maxAttempts = 300
)

// Job is something that is left to do outside the database after a change.
type Job = db.Job

// JobState says what is to become of a job.
type JobState = db.JobState

// jobBoard is where those who carry out jobs in this process hear of each other.
type jobBoard struct {
	due               chan struct{}
	delivered, failed atomic.Int64

	mu       sync.Mutex
	released chan struct{} // closed and replaced when a lease is given back
}

func newJobBoard() *jobBoard {
	return &jobBoard{due: make(chan struct{}, 1), released: make(chan struct{})}
}

func (b *jobBoard) nextRelease() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.released
}

func (b *jobBoard) tellReleased() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.released)
	b.released = make(chan struct{})
}

// attempt carries out a job that is leased since a moment of this process's clock,
// and notes how that ended. It returns why it failed, and why that cannot be
// noted; then somebody tries the job again when the lease is over. It goes on when
// ctx ends.
func (s *Service) attempt(ctx context.Context, j Job, leasedAt time.Time) (failure, unnoted error) {
	ctx = db.Unchecked(context.WithoutCancel(ctx))
	failure = s.push(ctx, j, leasedAt)
	if failure == nil {
		s.jobs.delivered.Add(1)
		superseded := false
		unnoted = s.db.Update(ctx, func(tx *db.Tx) (err error) {
			superseded, err = tx.FinishJob(j)
			return err
		})
		if superseded {
			signal(s.jobs.due)
		}
	} else {
		s.jobs.failed.Add(1)
		j = s.afterFailure(j, failure)
		unnoted = s.db.Update(ctx, func(tx *db.Tx) error { return tx.FailJob(j) })
	}
	s.jobs.tellReleased()
	return failure, unnoted
}

// push makes the one call of an attempt. It must not go on when somebody else may
// have the lease, and not even begin, if the process stood still meanwhile.
func (s *Service) push(ctx context.Context, j Job, leasedAt time.Time) error {
	d, err := decodeSitewide(j)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, PushTimeout)
	defer cancel()
	ctx, cancel = context.WithDeadline(ctx, leasedAt.Add(leaseTime-leaseMargin))
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.pushTo.PushSitewide(ctx, d)
}

// afterFailure returns what becomes of a job after an attempt that failed.
func (s *Service) afterFailure(j Job, failure error) Job {
	j.State, j.LastError = db.JobWaiting, lastError(failure)
	if j.Attempt+1 >= maxAttempts {
		j.State = db.JobDead
	}
	j.RunAt = s.timestamp().Add(waitAfter(j.Attempt + 1))
	return j
}

// waitAfter returns how long to wait after so many failed attempts. It is between
// half of the time and all of it, so that jobs that failed together do not come
// back together.
func waitAfter(attempts int) time.Duration {
	wait := longestWait
	if attempts < 10 { // from there on it is above the bound
		wait = min(wait, firstWait<<(attempts-1))
	}
	return wait/2 + mathrand.N(wait/2+1) //nolint:gosec // to spread out needs no secret
}

// maxLastError bounds what is kept of an error, in bytes.
const maxLastError = 300

// lastError is an error as a job keeps it: one line for a person's terminal, though
// some of it may be what the other side has sent.
func lastError(err error) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(err.Error(), "?"))
	if len(text) > maxLastError {
		text = strings.ToValidUTF8(text[:maxLastError], "") + "…"
	}
	return text
}

// awaitJob waits for the attempt that somebody else is making at a job, and makes
// one if it is not through by then. It returns nil when the version of j, or a
// later one, is through, or the job was taken away.
func (s *Service) awaitJob(ctx context.Context, j Job) error {
	patience := time.NewTimer(PushTimeout)
	defer patience.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		released := s.jobs.nextRelease() // before it looks, or it could miss one
		if over, err := s.tryAfterOthers(ctx, j); over {
			return err
		}
		select {
		case <-released:
		case <-look.C:
		case <-patience.C:
			return errOthers
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errOthers = errors.New("an earlier discount of the group is still on its way")

// tryAfterOthers looks how a job is getting on, and makes an attempt if nobody is
// at it. It reports over false if somebody is.
func (s *Service) tryAfterOthers(ctx context.Context, mine Job) (over bool, err error) {
	var j Job
	err = s.db.View(ctx, func(tx *db.Tx) error {
		j, err = tx.JobOn(mine.StoreHash, mine.Kind, mine.Subject)
		return err
	})
	switch {
	case cohort.KindOf(err) == cohort.KindNotFound, err == nil && isThrough(j, mine):
		return true, nil
	case err != nil:
		return true, err
	case j.Leased(s.now()):
		return false, nil
	case j.Attempt > 0:
		// Somebody has tried this version, or a later one, since it was written.
		return true, errors.New(j.LastError)
	}
	leasedAt := time.Now()
	j.LeasedBy, j.LeaseUntil = rand.Text(), s.timestamp().Add(leaseTime)
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		leased, err := tx.LeaseJob(j, s.timestamp())
		if err == nil {
			j = leased
		}
		return err
	})
	if cohort.KindOf(err) == cohort.KindNotFound {
		return false, nil // somebody was quicker
	}
	if err != nil {
		return true, err
	}
	err, _ = s.attempt(ctx, j, leasedAt)
	return true, err
}

// isThrough reports whether the version of a job, or a later one, is through. A job
// that is through is deleted, and a later one on the same subject has another id.
func isThrough(now, mine Job) bool { return now.ID != mine.ID || now.DoneVersion >= mine.Version }

// Pushes reports whether there is another pricing system, and so jobs to carry out.
func (s *Service) Pushes() bool { return s.pushTo != nil }

// JobsDue signals that there may be jobs for LeaseJobs before their time.
func (s *Service) JobsDue() <-chan struct{} { return s.jobs.due }

// LeasedJob is a job that nobody else carries out for some seconds.
type LeasedJob struct {
	Job
	leasedAt time.Time
}

// LeaseJobs returns up to so many jobs that are due, of whatever store, for
// CarryOut at once. No two of them are of one group.
func (s *Service) LeaseJobs(ctx context.Context, limit int) (leased []LeasedJob, err error) {
	due := false
	err = s.db.View(ctx, func(tx *db.Tx) error {
		// So that a node which has nothing to do writes nothing.
		due, err = tx.HasDueJobs(SitewideJob, s.timestamp())
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	lease := rand.Text()
	// Who leaves in its middle would not know what is leased now.
	err = s.db.Update(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		leasedAt, now := time.Now(), s.timestamp()
		jobs, err := tx.LeaseDueJobs(SitewideJob, now, lease, now.Add(leaseTime), limit)
		leased = make([]LeasedJob, len(jobs))
		for i, j := range jobs {
			leased[i] = LeasedJob{j, leasedAt}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// CarryOut makes an attempt at a job. It returns why it failed, and apart from that
// why the outcome cannot be noted; then the job is done once more. The end of ctx
// does not cut it short; it takes about as long as PushTimeout at most.
func (s *Service) CarryOut(ctx context.Context, j LeasedJob) (failure, unnoted error) {
	return s.attempt(ctx, j.Job, j.leasedAt)
}

// IsLastAttempt reports whether nobody tries the job again if the attempt fails.
func (j LeasedJob) IsLastAttempt() bool { return j.Attempt+1 >= maxAttempts }
