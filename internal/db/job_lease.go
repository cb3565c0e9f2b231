package db

import (
	"time"

	"cohort.example/cohort/internal/txn"
)

// JobLease is a lease on a job.
type JobLease struct {
	StoreKey string
	ID       int64 // of the job
	Kind     string
	Name     string // of the lease
}

// JobLeases returns the leases on jobs, of any store, that are held at a time.
func (t *Tx) JobLeases(now time.Time) ([]JobLease, error) {
	rows, err := t.Query("SELECT store_hash, id, kind, leased_by FROM jobs WHERE lease_until > $1 ORDER BY store_hash, id", now.UnixMilli())
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (l JobLease, err error) {
		err = row.Scan(&l.StoreKey, &l.ID, &l.Kind, &l.Name)
		return l, err
	})
}

// ReleaseJob ends a lease on a job. Another lease, which the job got since, stays.
func (t *Tx) ReleaseJob(l JobLease) error {
	return t.Later("UPDATE jobs SET leased_by = '', lease_until = 0 WHERE store_hash = $1 AND id = $2 AND leased_by = $3",
		l.StoreKey, l.ID, l.Name)
}
