package sweeper_test

import (
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

// sessions returns how many rows of sessions there are.
func (f *fixture) sessions(t *testing.T) (rows int64) {
	t.Helper()
	synctest.Wait()
	err := f.db.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM console_sessions").Scan(&rows)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// The rows of ended sessions go, and those of sessions in use stay until their life ends.
func TestRunDeletesEndedSessions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, secret, err := f.svc.CreateOperator(t.Context(), "Ann", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.svc.LogIn(t.Context(), secret); err != nil { // is not used
			t.Fatal(err)
		}
		used, _, err := f.svc.LogIn(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		f.run(t)
		for time.Since(begun) < service.SessionLife-20*time.Minute {
			want := int64(2)
			if time.Since(begun) >= service.SessionIdle+11*time.Minute {
				want = 1
			}
			if rows := f.sessions(t); rows != want {
				t.Fatalf("after %s there are %d sessions, want %d", time.Since(begun), rows, want)
			}
			time.Sleep(19 * time.Minute)
			if _, err := f.svc.Session(t.Context(), used); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		if rows := f.sessions(t); rows != 0 {
			t.Errorf("%d sessions are left", rows)
		}
		f.wantNoLog(t)
	})
}
