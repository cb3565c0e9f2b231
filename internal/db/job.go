package db

import (
	"errors"
	"fmt"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// Job is something that is left to do outside the database after a change. It is
// written in the transaction of the change. Of a subject there is one job of a
// kind.
type Job struct {
	StoreHash     string
	ID            int64 // counts up within the store
	Kind, Subject string
	// Version is that of the payload; a newer one takes the place of an older.
	// It comes from NextJobVersion.
	Version int64
	// DoneVersion is the newest version that is through, though there was a newer
	// one by then; 0 is none.
	DoneVersion int64
	State       JobState
	Attempt     int       // how many have failed with this version
	RunAt       time.Time // the next attempt is not before
	// LeasedBy is who is at it until LeaseUntil, and nobody when it is empty. Each
	// lease has a name of its own.
	LeasedBy    string
	LeaseUntil  time.Time
	Payload     string
	LastError   string
	DateCreated time.Time
}

// JobState says what is to become of a job.
type JobState string

// The states of a job.
const (
	JobWaiting JobState = "waiting" // it is tried, or will be
	JobDead    JobState = "dead"    // it was tried so often that nobody tries it any more
)

// Leased reports whether somebody is at the job at a moment.
func (j Job) Leased(now time.Time) bool { return j.LeaseUntil.After(now) }

const jobColumns = "store_hash, id, kind, subject, version, done_version, state, attempt, run_at, leased_by, lease_until, payload, last_error, date_created"

// NextJobVersion returns a number above all that it has returned for the store.
// It orders the payloads of a subject if whoever asks has locked the subject.
func (t *Tx) NextJobVersion(storeHash string) (int64, error) { return t.NextID(storeHash, "job") }

// PutJob writes a job, or puts its payload and version in the place of the
// earlier job's on the same subject, whose attempts begin anew. It is leased to
// j.LeasedBy, unless that is empty or somebody has it leased at j.RunAt. It
// returns the job's id and who has the lease.
func (t *Tx) PutJob(j Job) (id int64, leasedBy string, err error) {
	// A new row takes its version for an id: both only go up, and from the same
	// counter.
	err = t.QueryRow(`INSERT INTO jobs (`+jobColumns+`)
		VALUES ($1, $4, $2, $3, $4, 0, 'waiting', 0, $5, $6, $7, $8, '', $5)
		ON CONFLICT (store_hash, kind, subject) DO UPDATE SET
			version = $4, state = 'waiting', attempt = 0, run_at = $5, payload = $8, last_error = '',
			leased_by = CASE WHEN jobs.lease_until > $5 THEN jobs.leased_by ELSE $6 END,
			lease_until = CASE WHEN jobs.lease_until > $5 THEN jobs.lease_until ELSE $7 END
		RETURNING id, leased_by`,
		j.StoreHash, j.Kind, j.Subject, j.Version, j.RunAt.UnixMilli(), j.LeasedBy, millis(j.LeaseUntil), j.Payload).Scan(&id, &leasedBy)
	return id, leasedBy, err
}

// millis is a time as it is kept; none is 0.
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

// LeaseJob leases a job to j.LeasedBy until j.LeaseUntil, if it is waiting and
// nobody has it leased at a moment, and returns it. Else it returns KindNotFound.
func (t *Tx) LeaseJob(j Job, now time.Time) (Job, error) {
	leased, err := scanJob(t.QueryRow(`UPDATE jobs SET leased_by = $3, lease_until = $4
		WHERE store_hash = $1 AND id = $2 AND state = 'waiting' AND lease_until <= $5 RETURNING `+jobColumns,
		j.StoreHash, j.ID, j.LeasedBy, j.LeaseUntil.UnixMilli(), now.UnixMilli()))
	if errors.Is(err, txn.ErrNoRows) {
		return leased, cohort.NotFound(jobName(j.ID))
	}
	return leased, err
}

// due is which jobs of a kind, of all stores, wait for somebody at a moment: $1
// and $2. The index has those that are due, and few of them are leased.
// Those of a deleted store go with it.
const due = ` FROM jobs WHERE state = 'waiting' AND run_at <= $1 AND lease_until <= $1 AND kind = $2
	AND NOT EXISTS (SELECT 1 FROM stores WHERE stores.hash = jobs.store_hash AND date_deleted > 0)`

// HasDueJobs reports whether jobs of a kind, of whatever store, wait for somebody
// at a moment.
func (t *Tx) HasDueJobs(kind string, now time.Time) (bool, error) {
	var one int
	err := t.Lookup("SELECT 1"+due+" LIMIT 1", now.UnixMilli(), kind).Scan(&one)
	if errors.Is(err, txn.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// LeaseDueJobs leases up to so many of the jobs that HasDueJobs is about, the
// longest due first, and returns them. Those that another transaction is at are
// left to it.
func (t *Tx) LeaseDueJobs(kind string, now time.Time, leasedBy string, until time.Time, limit int) ([]Job, error) {
	rows, err := t.Query("SELECT "+jobColumns+due+" ORDER BY run_at LIMIT CAST($3 AS BIGINT)"+t.SQL().ForUpdate+t.SQL().SkipLocked,
		now.UnixMilli(), kind, limit)
	if err != nil {
		return nil, err
	}
	jobs, err := txn.Collect(rows, scanJob)
	if err != nil {
		return nil, err
	}
	for i := range jobs {
		j := &jobs[i]
		j.LeasedBy, j.LeaseUntil = leasedBy, until
		if err := t.Later("UPDATE jobs SET leased_by = $3, lease_until = $4 WHERE store_hash = $1 AND id = $2",
			j.StoreHash, j.ID, leasedBy, until.UnixMilli()); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// FinishJob deletes a job whose version is through. If a newer one has taken its
// place, the lease is given back for that, and it returns so. Who has lost the
// lease changes nothing: to delete the job would let others begin anew beside
// whoever has it now.
func (t *Tx) FinishJob(j Job) (superseded bool, err error) {
	n, err := t.Exec("DELETE FROM jobs WHERE store_hash = $1 AND id = $2 AND leased_by = $3 AND version = $4",
		j.StoreHash, j.ID, j.LeasedBy, j.Version)
	if err != nil || n > 0 {
		return false, err
	}
	n, err = t.Exec(`UPDATE jobs SET leased_by = '', lease_until = 0, done_version = $4
		WHERE store_hash = $1 AND id = $2 AND leased_by = $3`, j.StoreHash, j.ID, j.LeasedBy, j.Version)
	return n > 0, err
}

// FailJob gives the lease of a job back after an attempt that failed, with the
// state, the time of the next attempt and the error that j has by now. If a newer
// version has taken the place of j's, it has not been tried, and nothing else
// changes; likewise FinishJob says what happens without the lease.
func (t *Tx) FailJob(j Job) error {
	return t.Later(`UPDATE jobs SET leased_by = '', lease_until = 0,
			attempt = CASE WHEN version = $4 THEN attempt + 1 ELSE attempt END,
			state = CASE WHEN version = $4 THEN $5 ELSE state END,
			run_at = CASE WHEN version = $4 THEN $6 ELSE run_at END,
			last_error = CASE WHEN version = $4 THEN $7 ELSE last_error END
		WHERE store_hash = $1 AND id = $2 AND leased_by = $3`,
		j.StoreHash, j.ID, j.LeasedBy, j.Version, j.State, j.RunAt.UnixMilli(), j.LastError)
}

// ListJobs returns the jobs of a store, or of every store when storeHash is
// empty, and of a state unless that is empty.
func (t *Tx) ListJobs(storeHash string, state JobState) ([]Job, error) {
	rows, err := t.Query("SELECT "+jobColumns+` FROM jobs WHERE ($1 = '' OR store_hash = $1) AND ($2 = '' OR state = $2)
		ORDER BY store_hash COLLATE "C", id`, storeHash, state)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanJob)
}

// CountJobs returns how many jobs of every store are in each state.
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

// RetryJobs makes a job of the store, or all when id is 0, wait for an attempt at
// a moment, as if none had been made. It returns how many there are.
func (t *Tx) RetryJobs(storeHash string, id int64, now time.Time) (int64, error) {
	return t.Exec(`UPDATE jobs SET state = 'waiting', attempt = 0, run_at = $3
		WHERE store_hash = $1 AND (CAST($2 AS BIGINT) = 0 OR id = $2)`, storeHash, id, now.UnixMilli())
}

// DropJobs deletes a job of the store, or all when id is 0, but none that is
// leased at a moment. It returns how many it has deleted.
func (t *Tx) DropJobs(storeHash string, id int64, now time.Time) (int64, error) {
	return t.Exec("DELETE FROM jobs WHERE store_hash = $1 AND (CAST($2 AS BIGINT) = 0 OR id = $2) AND lease_until <= $3",
		storeHash, id, now.UnixMilli())
}

func jobName(id int64) string { return fmt.Sprintf("job %d", id) }

func scanJob(row txn.Scanner) (Job, error) {
	var j Job
	var runAt, leaseUntil, created int64
	err := row.Scan(&j.StoreHash, &j.ID, &j.Kind, &j.Subject, &j.Version, &j.DoneVersion, &j.State, &j.Attempt, &runAt,
		&j.LeasedBy, &leaseUntil, &j.Payload, &j.LastError, &created)
	j.RunAt, j.LeaseUntil, j.DateCreated = fromMillis(runAt), fromMillis(leaseUntil), fromMillis(created)
	return j, err
}
