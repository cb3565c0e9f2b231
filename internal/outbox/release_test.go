package outbox_test

import (
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

// A node that knows that another one was killed ends its leases, of the kinds that allow it.
// A lease that the message got since stays.
func TestReleaseDead(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const repeatable = "repeatable"
		f.outbox.Handle(repeatable, outbox.Kind{Handler: f.system, Timeout: timeout, Repeatable: true})
		f.put(t, outbox.Message{Store: "a", Kind: repeatable, Subject: "1"}, outbox.Message{Store: "a", Kind: repeatable, Subject: "2"}, message("other"))
		if lost := f.lease(t); len(lost) != 3 {
			t.Fatalf("leased %+v", lost)
		}
		left, err := f.outbox.Leases(t.Context())
		if len(left) != 3 || err != nil {
			t.Fatalf("leases %+v, %v", left, err)
		}
		var again db.JobLease
		for _, l := range left {
			if l.Kind == repeatable {
				again = l
			}
		}
		f.update(t, func(tx *db.Tx) error { // its lease has expired meanwhile, and another node has one
			if err := tx.ReleaseJob(again); err != nil {
				return err
			}
			_, err := tx.LeaseJob(db.Job{StoreKey: "a", ID: again.ID, LeasedBy: "another", LeaseUntil: time.Now().Add(time.Minute)}, time.Now())
			return err
		})
		if n, err := f.outbox.ReleaseDead(t.Context(), left); n != 2 || err != nil {
			t.Errorf("%d released, %v", n, err)
		}
		leased := f.lease(t)
		if len(leased) != 1 || leased[0].Kind != repeatable || leased[0].ID == again.ID {
			t.Errorf("leased %+v", leased)
		}
		if left, err = f.outbox.Leases(t.Context()); len(left) != 3 || err != nil {
			t.Errorf("leases %+v, %v", left, err)
		}
	})
}
