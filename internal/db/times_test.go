package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// clocks returns the times of the system and of n stores. Those of "early" and "late" are
// an hour before the system and after it; the other stores are not in the database.
func clocks(now time.Time, n int) db.Times {
	times := db.Times{System: now, Stores: map[string]time.Time{"early": now.Add(-time.Hour), "late": now.Add(time.Hour)}}
	for i := len(times.Stores); i < n; i++ {
		times.Stores[fmt.Sprint("gone-", i)] = now.AddDate(-i, 0, 0)
	}
	return times
}

// A job is due by the clock of its store. Its lease ends by the clock of the system.
func TestDueJobsByClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "early", "late", "usual")
		for _, store := range []string{"early", "late", "usual"} {
			for subject, at := range map[string]time.Duration{"past": -2 * time.Hour, "recent": -time.Minute, "soon": time.Minute, "far": 2 * time.Hour} {
				putJob(t, d, store, subject, "", jobTime.Add(at))
			}
		}
		leases := jobTime.Add(time.Minute)
		lease := func(now db.Times) (subjects []string) {
			update(t, d, func(tx *db.Tx) error {
				due, err := tx.HasDueJobs(kind, now)
				if err != nil {
					return err
				}
				lanes, err := tx.DueLanes(db.Lane{}, now, 100)
				if due != (len(lanes) > 0) {
					t.Errorf("jobs are due: %v, of the lanes %v", due, lanes)
				}
				for _, l := range lanes {
					jobs, err := tx.LeaseJobs(l, now, "x", leases, 100)
					if err != nil {
						return err
					}
					for _, j := range jobs {
						subjects = append(subjects, j.StoreKey+" "+j.Subject)
					}
				}
				return err
			})
			slices.Sort(subjects)
			return subjects
		}
		all := []string{"early past", "late past", "late recent", "late soon", "usual past", "usual recent"}
		for _, n := range []int{2, 3, 70} { // clocks
			if diff := cmp.Diff(all, lease(clocks(jobTime, n))); diff != "" {
				t.Errorf("%d clocks (-want +got):\n%s", n, diff)
			}
			now := clocks(jobTime, n)
			now.Stores["late"] = jobTime.Add(3 * time.Hour)
			if diff := cmp.Diff([]string{"late far"}, lease(now)); diff != "" {
				t.Errorf("a clock is advanced (-want +got):\n%s", diff)
			}
			if got := lease(now); len(got) > 0 {
				t.Errorf("leased twice: %v", got)
			}
			update(t, d, func(tx *db.Tx) error { // as if the leases had ended
				_, err := tx.Exec("UPDATE jobs SET lease_until = 0")
				return err
			})
		}
		if got := lease(db.Times{System: jobTime}); len(got) != 6 {
			t.Errorf("without clocks: %v", got)
		}
	})
}

// A store that is ahead does not take over a lease that is held.
func TestPutJobComparesLeasesWithTheSystem(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		putJob(t, d, "a", "7", "x", jobTime)
		update(t, d, func(tx *db.Tx) error {
			j := db.Job{
				StoreKey: "a", Kind: kind, Subject: "7", Version: 1000, RunAt: jobTime.AddDate(1, 0, 0),
				LeasedBy: "y", LeaseUntil: jobTime.Add(2 * time.Minute),
			}
			_, leasedBy, err := tx.PutJob(j, jobTime.Add(time.Second))
			if leasedBy != "x" {
				t.Errorf("it is leased by %s", leasedBy)
			}
			return err
		})
	})
}

// A store expires by its own clock.
func TestExpiredStoresByClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		update(t, d, func(tx *db.Tx) error {
			for key, at := range map[string]time.Time{
				"early": jobTime.Add(-time.Minute), "late": jobTime.Add(time.Minute), "usual": jobTime, "later": jobTime.Add(time.Minute), "forever": {},
			} {
				if err := tx.InsertStore(cohort.Store{Hash: key, Plan: cohort.PlanUnlimited, DateCreated: jobTime, DateExpires: at}); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, d, func(tx *db.Tx) error {
			for _, test := range []struct {
				now  db.Times
				most int
				want []string
			}{
				{clocks(jobTime, 2), 100, []string{"usual", "late"}},
				{clocks(jobTime, 5), 100, []string{"usual", "late"}},
				{clocks(jobTime, 5), 1, []string{"usual"}},
				{db.Times{System: jobTime}, 100, []string{"early", "usual"}},
			} {
				got, err := tx.ExpiredStores(test.now, test.most)
				if err != nil {
					return err
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%d clocks (-want +got):\n%s", len(test.now.Stores), diff)
				}
			}
			return nil
		})
	})
}

// Without clocks SQLite finds due jobs and expired stores by their time.
func TestPlansByTime(t *testing.T) {
	d := dbtest.SQLite(t)
	now := db.Times{System: jobTime}
	view(t, d, func(tx *db.Tx) error {
		for index, run := range map[string]func() error{
			"jobs_due (run_at<?)":            func() error { _, err := tx.HasDueJobs(kind, now); return err },
			"jobs_by_lane (<expr>=?":         func() error { _, err := tx.DueLanes(db.Lane{}, now, 10); return err },
			"stores_expiring (date_expires>": func() error { _, err := tx.ExpiredStores(now, 10); return err },
		} {
			plans, err := tx.Plans(run)
			if err != nil {
				return err
			}
			if !strings.Contains(strings.Join(plans, "\n"), index) {
				t.Errorf("the plan does not read %s:\n%s", index, plans)
			}
		}
		return nil
	})
}
