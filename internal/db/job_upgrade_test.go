package db

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// During an upgrade, nodes of an older version put jobs without a destination, with
// this statement. A new row is in the lane of the destination "", and an existing row
// keeps its destination.
func TestOlderVersionPutsJobs(t *testing.T) {
	const put = `INSERT INTO jobs (store_hash, id, kind, subject, version, done_version, state, attempt, run_at, leased_by, lease_until, payload, last_error, date_created)
		VALUES ($1, $4, $2, $3, $4, 0, 'waiting', 0, $5, $6, $7, $8, '', $5)
		ON CONFLICT (store_hash, kind, subject) DO UPDATE SET
			version = $4, state = 'waiting', attempt = 0, run_at = $5, payload = $8, last_error = '',
			leased_by = CASE WHEN jobs.lease_until > $5 THEN jobs.leased_by ELSE $6 END,
			lease_until = CASE WHEN jobs.lease_until > $5 THEN jobs.lease_until ELSE $7 END`
	eachEngine(t, func(t *testing.T, d *DB) {
		now := time.UnixMilli(1000)
		err := d.Update(t.Context(), func(tx *Tx) error {
			if _, err := tx.Exec("INSERT INTO stores (hash, plan, quota, at_once, date_created) VALUES ('a', 'unlimited', 0, 0, 1)"); err != nil {
				return err
			}
			if _, _, err := tx.PutJob(Job{StoreKey: "a", Kind: "sitewide", Subject: "2", Destination: "x", Version: 1, RunAt: now, Payload: "{}"}, now); err != nil {
				return err
			}
			for version, subject := range map[int64]string{2: "1", 3: "2"} {
				if _, err := tx.Exec(put, "a", "sitewide", subject, version, now.UnixMilli(), "", 0, "new"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.View(t.Context(), func(tx *Tx) error {
			got, err := tx.DueLanes(Lane{}, Times{System: now}, 9)
			if diff := cmp.Diff([]Lane{{"sitewide", "a", ""}, {"sitewide", "a", "x"}}, got); diff != "" {
				t.Errorf("lanes (-want +got):\n%s", diff)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
