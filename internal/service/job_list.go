package service

import (
	"cmp"
	"context"
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// JobCounts is how many jobs there are, and how many attempts this process has made.
type JobCounts struct {
	Waiting, Dead     int64
	Delivered, Failed int64
}

// JobCounts counts the jobs of all stores.
func (s *Service) JobCounts(ctx context.Context) (c JobCounts, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		counts, err := tx.CountJobs()
		c = JobCounts{Waiting: counts[db.JobWaiting], Dead: counts[db.JobDead]}
		return err
	})
	c.Delivered, c.Failed = s.jobs.delivered.Load(), s.jobs.failed.Load()
	return c, err
}

// ListJobs returns the jobs of a store, or of all when storeHash is empty, and of
// one state unless that is empty. It returns KindNotFound if there is no such
// store.
func (s *Service) ListJobs(ctx context.Context, storeHash string, state JobState) (jobs []Job, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if storeHash != "" {
			if _, err := tx.Store(storeHash); err != nil {
				return err
			}
		}
		jobs, err = tx.ListJobs(storeHash, state)
		return err
	})
	return jobs, err
}

// RetryJobs makes a job of a store, or all when id is 0, due now, as if none of the
// attempts had been made, and returns how many there are. It returns KindNotFound
// if there is no such store or job.
func (s *Service) RetryJobs(ctx context.Context, storeHash string, id int64) (n int64, err error) {
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		if _, err := tx.Store(storeHash); err != nil {
			return err
		}
		if n, err = tx.RetryJobs(storeHash, id, s.timestamp()); err != nil {
			return err
		}
		return mustBeThere(n, storeHash, id)
	})
	signal(s.jobs.due)
	return n, err
}

// DropJobs takes a job of a store away, or all when id is 0, and returns how many
// are gone. A job that somebody is at stays: of all, it is left out, and alone it
// is KindConflict. KindNotFound is as with RetryJobs.
func (s *Service) DropJobs(ctx context.Context, storeHash string, id int64) (n int64, err error) {
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		if _, err := tx.Store(storeHash); err != nil {
			return err
		}
		if n, err = tx.DropJobs(storeHash, id, s.timestamp()); err != nil || n > 0 || id == 0 {
			return err
		}
		jobs, err := tx.ListJobs(storeHash, "")
		for _, j := range jobs {
			if j.ID == id {
				return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("job %d is being carried out now; try again in %s", id, leaseTime)}
			}
		}
		return cmp.Or(err, mustBeThere(0, storeHash, id))
	})
	return n, err
}

// mustBeThere is for statements that change one job, if id is that of one.
func mustBeThere(n int64, storeHash string, id int64) error {
	if n == 0 && id != 0 {
		return NoJob(storeHash, id)
	}
	return nil
}

// NoJob is the KindNotFound error for a job of a store.
func NoJob(storeHash string, id int64) error {
	return cohort.NotFound(fmt.Sprintf("job %d of store %s", id, storeHash))
}
