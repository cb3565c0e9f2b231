package cli_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// leaveLease leaves the lease of a killed server on a message to a webhook in a database. The
// webhook does not exist, so that a server which may takes the message out of the outbox.
func leaveLease(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		now := time.Now()
		version, err := tx.NextJobVersion("abc")
		if err != nil {
			return err
		}
		_, _, err = tx.PutJob(db.Job{
			StoreKey: "abc", Kind: service.HookKind, Subject: "1", Version: version, RunAt: now, LeasedBy: "killed", LeaseUntil: now.Add(time.Hour),
		}, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isWaiting reports whether the message is in the outbox.
func isWaiting(t *testing.T, d *db.DB) bool {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		_, err := tx.JobOn("abc", service.HookKind, "1")
		return err
	})
	if err != nil && cohort.KindOf(err) != cohort.KindNotFound {
		t.Fatal(err)
	}
	return err == nil
}

// A server that is alone on a database file delivers at once what a killed one was about to
// deliver. Beside another server it waits for the end of the lease, which may be that one's.
func TestServeEndsLeasesOfAKilledServer(t *testing.T) {
	t.Parallel()
	url := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", url)
	d := dbtest.Open(t, url)
	leaveLease(t, d)
	serve(t, "--db", url)
	deadline := time.Now().Add(30 * time.Second)
	for isWaiting(t, d) {
		if time.Now().After(deadline) {
			t.Fatal("the message is not delivered")
		}
		time.Sleep(time.Millisecond)
	}
	leaveLease(t, d)
	serve(t, "--db", url)
	if !isWaiting(t, d) {
		t.Error("a server has ended a lease while another one runs")
	}
}
