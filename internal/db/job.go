package db

import (
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// Job is a row of the outbox: the latest state of a subject that has to be
// delivered to a system outside the database. The transaction of the change writes
// it. There is one job for each store, kind and subject. Package outbox says what
// its fields are for.
type Job struct {
	StoreKey      string
	ID            int64 // counts up within the store
	Kind, Subject string
	Destination   string // within the kind; "" for a kind with one destination
	// Version is the version of the payload, from NextJobVersion. A later version
	// replaces an earlier one.
	Version int64
	// DoneVersion is the newest version that was delivered while a newer one
	// waited; 0 is none.
	DoneVersion int64
	State       JobState
	Attempt     int       // how many attempts at this version have failed
	RunAt       time.Time // the time of the next attempt, by the clock of the store
	// LeasedBy names the lease that is held until LeaseUntil, by the system clock; "" is
	// no lease. Each lease has its own name.
	LeasedBy    string
	LeaseUntil  time.Time
	Payload     string
	LastError   string
	DateCreated time.Time
}

// JobState is the state of a job.
type JobState string

// The states of a job.
const (
	JobWaiting JobState = "waiting" // an attempt is due or running
	JobDead    JobState = "dead"    // no more attempts are made
)

// Leased reports whether a lease on the job is held at a time.
func (j Job) Leased(now time.Time) bool { return j.LeaseUntil.After(now) }

const jobColumns = "store_hash, id, kind, subject, version, done_version, state, attempt, run_at, leased_by, lease_until, payload, last_error, date_created, destination"

// NextJobVersion returns a number above all that it has returned for the store. A
// caller that holds a lock on the subject gets versions in the order of the changes, also
// if the statement that takes the lock has not been sent yet.
func (t *Tx) NextJobVersion(storeHash string) (int64, error) {
	if err := t.Await(); err != nil {
		return 0, err
	}
	return t.NextID(storeHash, "job")
}

// PutJob inserts a job. If there is one of the same store, kind and subject, it
// replaces that job's payload, version and destination, and resets its attempts. The
// job is leased to j.LeasedBy, unless that is empty or another lease is held now.
// PutJob returns the job's id and the name of the lease.
func (t *Tx) PutJob(j Job, now time.Time) (id int64, leasedBy string, err error) {
	// A new row uses its version as its id: both come from one counter.
	err = t.QueryRow(`INSERT INTO jobs (`+jobColumns+`)
		VALUES ($1, $4, $2, $3, $4, 0, 'waiting', 0, $5, $6, $7, $8, '', $5, $9)
		ON CONFLICT (store_hash, kind, subject) DO UPDATE SET
			destination = $9, version = $4, state = 'waiting', attempt = 0, run_at = $5, payload = $8, last_error = '',
			leased_by = CASE WHEN jobs.lease_until > $10 THEN jobs.leased_by ELSE $6 END,
			lease_until = CASE WHEN jobs.lease_until > $10 THEN jobs.lease_until ELSE $7 END
		RETURNING id, leased_by`,
		j.StoreKey, j.Kind, j.Subject, j.Version, j.RunAt.UnixMilli(), j.LeasedBy, millis(j.LeaseUntil), j.Payload, j.Destination, now.UnixMilli()).Scan(&id, &leasedBy)
	return id, leasedBy, err
}

// PutJobs is PutJob for jobs of one store without leases, which are due at a time by the
// clock of the store.
func (t *Tx) PutJobs(storeKey string, jobs []Job, runAt, now time.Time) error {
	if err := t.Await(); err != nil { // see NextJobVersion
		return err
	}
	version, err := t.ReserveIDs(storeKey, "job", 0, int64(len(jobs)))
	if err != nil {
		return err
	}
	for i, j := range jobs {
		err := t.LaterInOrder(storeKey+" "+j.Kind+" "+j.Subject, `INSERT INTO jobs (`+jobColumns+`)
			VALUES ($1, $4, $2, $3, $4, 0, 'waiting', 0, $5, '', 0, $6, '', $5, $7)
			ON CONFLICT (store_hash, kind, subject) DO UPDATE SET
				destination = $7, version = $4, state = 'waiting', attempt = 0, run_at = $5, payload = $6, last_error = '',
				leased_by = CASE WHEN jobs.lease_until > $8 THEN jobs.leased_by ELSE '' END,
				lease_until = CASE WHEN jobs.lease_until > $8 THEN jobs.lease_until ELSE 0 END`,
			storeKey, j.Kind, j.Subject, version+int64(i), runAt.UnixMilli(), j.Payload, j.Destination, now.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// millis returns a time in milliseconds, as columns hold it; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// JobOn returns the job of a kind on a subject, or KindNotFound.
func (t *Tx) JobOn(storeHash, kind, subject string) (Job, error) {
	j, err := scanJob(t.Lookup("SELECT "+jobColumns+" FROM jobs WHERE store_hash = $1 AND kind = $2 AND subject = $3",
		storeHash, kind, subject))
	if errors.Is(err, txn.ErrNoRows) {
		return j, cohort.NotFound(fmt.Sprintf("job %s %s", kind, subject))
	}
	return j, err
}

// FinishJob deletes a job whose version is delivered. If a newer version has replaced
// it, FinishJob releases the lease for that one and returns superseded true. A caller
// whose lease has expired changes nothing: deleting the job would let a new job on
// the subject start beside the attempt of the current lease.
func (t *Tx) FinishJob(j Job) (superseded bool, err error) {
	n, err := t.Exec("DELETE FROM jobs WHERE store_hash = $1 AND id = $2 AND leased_by = $3 AND version = $4",
		j.StoreKey, j.ID, j.LeasedBy, j.Version)
	if err != nil || n > 0 {
		return false, err
	}
	n, err = t.Exec(`UPDATE jobs SET leased_by = '', lease_until = 0, done_version = $4
		WHERE store_hash = $1 AND id = $2 AND leased_by = $3`, j.StoreKey, j.ID, j.LeasedBy, j.Version)
	return n > 0, err
}

// FailJob releases the lease of a job after a failed attempt and stores the state,
// the time of the next attempt and the error of j. If a newer version has replaced
// j's, no attempt at that one has been made, and FailJob only releases the lease. A
// caller whose lease has expired changes nothing, as with FinishJob.
func (t *Tx) FailJob(j Job) error {
	return t.Later(`UPDATE jobs SET leased_by = '', lease_until = 0,
			attempt = CASE WHEN version = $4 THEN attempt + 1 ELSE attempt END,
			state = CASE WHEN version = $4 THEN $5 ELSE state END,
			run_at = CASE WHEN version = $4 THEN $6 ELSE run_at END,
			last_error = CASE WHEN version = $4 THEN $7 ELSE last_error END
		WHERE store_hash = $1 AND id = $2 AND leased_by = $3`,
		j.StoreKey, j.ID, j.LeasedBy, j.Version, j.State, j.RunAt.UnixMilli(), j.LastError)
}

// RescheduleJob releases the lease of a job, whose next attempt is at a time, and forgets
// failed attempts. A newer version stays due. A caller whose lease has expired changes
// nothing, as with FinishJob.
func (t *Tx) RescheduleJob(j Job, at time.Time) error {
	return t.Later(`UPDATE jobs SET leased_by = '', lease_until = 0,
			attempt = CASE WHEN version = $4 THEN 0 ELSE attempt END,
			run_at = CASE WHEN version = $4 THEN $5 ELSE run_at END,
			last_error = CASE WHEN version = $4 THEN '' ELSE last_error END
		WHERE store_hash = $1 AND id = $2 AND leased_by = $3`,
		j.StoreKey, j.ID, j.LeasedBy, j.Version, at.UnixMilli())
}

// ListJobs returns the jobs of a store, or of every store if storeHash is empty, in
// one state, or in every state if that is empty.
func (t *Tx) ListJobs(storeHash string, state JobState) ([]Job, error) {
	rows, err := t.Query("SELECT "+jobColumns+` FROM jobs WHERE ($1 = '' OR store_hash = $1) AND ($2 = '' OR state = $2)
		ORDER BY store_hash COLLATE "C", id`, storeHash, state)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanJob)
}

// CountJobs returns how many jobs are in each state, over all stores.
func (t *Tx) CountJobs() (map[JobState]int64, error) {
	rows, err := t.Query("SELECT state, count(*) FROM jobs GROUP BY state")
	if err != nil {
		return nil, err
	}
	type count struct {
		state JobState
		n     int64
	}
	list, err := txn.Collect(rows, func(row txn.Scanner) (c count, err error) { return c, row.Scan(&c.state, &c.n) })
	counts := make(map[JobState]int64, len(list))
	for _, c := range list {
		counts[c.state] = c.n
	}
	return counts, err
}

// CountWaitingJobs returns how many jobs of a kind are waiting, over all stores.
func (t *Tx) CountWaitingJobs(kind string) (n int64, err error) {
	err = t.QueryRow("SELECT count(*) FROM jobs WHERE kind = $1 AND state = 'waiting'", kind).Scan(&n)
	return n, err
}

// RetryJobs makes a job of the store, or all jobs if id is 0, due at a time and
// resets their attempts. It returns the number of jobs.
func (t *Tx) RetryJobs(storeHash string, id int64, now time.Time) (int64, error) {
	return t.Exec(`UPDATE jobs SET state = 'waiting', attempt = 0, run_at = $3
		WHERE store_hash = $1 AND (CAST($2 AS BIGINT) = 0 OR id = $2)`, storeHash, id, now.UnixMilli())
}

// DropJobs deletes a job of the store, or all jobs if id is 0, except those with a
// lease that is held at a time. It returns the number of deleted jobs.
func (t *Tx) DropJobs(storeHash string, id int64, now time.Time) (int64, error) {
	return t.Exec("DELETE FROM jobs WHERE store_hash = $1 AND (CAST($2 AS BIGINT) = 0 OR id = $2) AND lease_until <= $3",
		storeHash, id, now.UnixMilli())
}

func jobName(id int64) string { return fmt.Sprintf("job %d", id) }

func scanJob(row txn.Scanner) (Job, error) {
	var j Job
	var runAt, leaseUntil, created int64
	err := row.Scan(&j.StoreKey, &j.ID, &j.Kind, &j.Subject, &j.Version, &j.DoneVersion, &j.State, &j.Attempt, &runAt,
		&j.LeasedBy, &leaseUntil, &j.Payload, &j.LastError, &created, &j.Destination)
	j.RunAt, j.LeaseUntil, j.DateCreated = fromMillis(runAt), fromMillis(leaseUntil), fromMillis(created)
	return j, err
}
