package outbox

import (
	"context"

	"cohort.example/cohort/internal/db"
)

// Leases returns the leases that are held now, of all processes.
func (o *Outbox) Leases(ctx context.Context) (held []db.JobLease, err error) {
	err = o.db.View(ctx, func(tx *db.Tx) error {
		held, err = tx.JobLeases(o.timestamp())
		return err
	})
	return held, err
}

// ReleaseDead ends leases of processes that have ended since, as far as the kind of the
// message allows it. It returns how many those are.
func (o *Outbox) ReleaseDead(ctx context.Context, held []db.JobLease) (released int, err error) {
	err = o.db.Update(ctx, func(tx *db.Tx) error {
		released = 0
		for _, l := range held {
			if !o.kinds[l.Kind].Repeatable {
				continue
			}
			if err := tx.ReleaseJob(l); err != nil {
				return err
			}
			released++
		}
		return nil
	})
	return released, err
}
