package db_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var jobTime = time.UnixMilli(1_700_000_000_000).UTC()

const kind = "sitewide"

// putJob writes a job on a subject of a store and returns it as it is stored.
func putJob(t *testing.T, d *db.DB, store, subject, lease string, at time.Time) (kept db.Job) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		version, err := tx.NextJobVersion(store)
		if err != nil {
			return err
		}
		j := db.Job{StoreKey: store, Kind: kind, Subject: subject, Version: version, RunAt: at, LeasedBy: lease, Payload: fmt.Sprint("payload ", version)}
		if lease != "" {
			j.LeaseUntil = at.Add(time.Minute)
		}
		id, leasedBy, err := tx.PutJob(j, at)
		if err != nil {
			return err
		}
		if kept, err = tx.JobOn(store, kind, subject); err != nil {
			return err
		}
		if kept.ID != id || kept.LeasedBy != leasedBy {
			t.Errorf("PutJob returns the id %d and the lease %q for %+v", id, leasedBy, kept)
		}
		return nil
	})
	return kept
}

func wantJobs(t *testing.T, d *db.DB, want ...db.Job) {
	t.Helper()
	view(t, d, func(tx *db.Tx) error {
		got, err := tx.ListJobs("", "")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
		return err
	})
}

// leaseDue leases due jobs of all lanes, limit at most of each.
func leaseDue(t *testing.T, d *db.DB, now time.Time, lease string, limit int) (jobs []db.Job) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		jobs = nil
		lanes, err := tx.DueLanes(db.Lane{}, db.Times{System: now}, 1000)
		for _, l := range lanes {
			leased, err := tx.LeaseJobs(l, db.Times{System: now}, lease, now.Add(time.Minute), limit)
			if err != nil {
				return err
			}
			jobs = append(jobs, leased...)
		}
		return err
	})
	return jobs
}

func TestPutJob(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		first := putJob(t, d, "a", "7", "x", jobTime)
		want := db.Job{
			StoreKey: "a", ID: first.Version, Kind: kind, Subject: "7", Version: first.Version, State: db.JobWaiting, RunAt: jobTime,
			LeasedBy: "x", LeaseUntil: jobTime.Add(time.Minute), Payload: first.Payload, DateCreated: jobTime,
		}
		wantJobs(t, d, want)

		// A later version replaces it, and the lease stays.
		second := putJob(t, d, "a", "7", "y", jobTime.Add(time.Second))
		if second.Version <= first.Version {
			t.Errorf("version %d after %d", second.Version, first.Version)
		}
		want.Version, want.Payload, want.RunAt = second.Version, second.Payload, jobTime.Add(time.Second)
		wantJobs(t, d, want)

		// An expired lease is replaced too.
		third := putJob(t, d, "a", "7", "z", jobTime.Add(time.Minute))
		want.Version, want.Payload, want.RunAt = third.Version, third.Payload, jobTime.Add(time.Minute)
		want.LeasedBy, want.LeaseUntil = "z", jobTime.Add(2*time.Minute)
		wantJobs(t, d, want)

		// Another subject or store has a job of its own.
		other, elsewhere := putJob(t, d, "a", "8", "", jobTime), putJob(t, d, "b", "7", "", jobTime)
		wantJobs(t, d, want, other, elsewhere)
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantJobs(t, d, elsewhere)
	})
}

// A later version of a dead job starts with no attempts.
func TestPutJobRevivesADeadJob(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		j := putJob(t, d, "a", "7", "x", jobTime)
		j.State, j.LastError, j.RunAt = db.JobDead, "down", jobTime.Add(time.Hour)
		update(t, d, func(tx *db.Tx) error { return tx.FailJob(j) })
		j.Attempt, j.LeasedBy, j.LeaseUntil = 1, "", time.UnixMilli(0).UTC()
		wantJobs(t, d, j)
		if jobs := leaseDue(t, d, jobTime.Add(2*time.Hour), "y", 9); len(jobs) != 0 {
			t.Errorf("a dead job is leased: %+v", jobs)
		}
		j.LeasedBy, j.LeaseUntil = "y", jobTime.Add(time.Hour)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.LeaseJob(j, jobTime)
			return err
		})
		if cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("a dead job is leased by its id: %v", err)
		}
		later := putJob(t, d, "a", "7", "", jobTime.Add(time.Second))
		if later.State != db.JobWaiting || later.Attempt != 0 || later.LastError != "" || !later.RunAt.Equal(jobTime.Add(time.Second)) {
			t.Errorf("it does not start again: %+v", later)
		}
	})
}

func TestFinishAndFailJob(t *testing.T) {
	finish := func(t *testing.T, d *db.DB, j db.Job, want bool) {
		t.Helper()
		update(t, d, func(tx *db.Tx) error {
			superseded, err := tx.FinishJob(j)
			if superseded != want {
				t.Errorf("superseded: %v", superseded)
			}
			return err
		})
	}
	fail := func(t *testing.T, d *db.DB, j db.Job) {
		t.Helper()
		j.State, j.RunAt, j.LastError = db.JobWaiting, jobTime.Add(time.Hour), "down"
		update(t, d, func(tx *db.Tx) error { return tx.FailJob(j) })
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		other := putJob(t, d, "a", "other", "x", jobTime)
		one := putJob(t, d, "a", "7", "x", jobTime)
		finish(t, d, one, false)
		wantJobs(t, d, other)

		// No attempt at a newer version was made, however the older one ended.
		one = putJob(t, d, "a", "7", "x", jobTime)
		two := putJob(t, d, "a", "7", "y", jobTime)
		fail(t, d, one)
		two.LeasedBy, two.LeaseUntil = "", time.UnixMilli(0).UTC()
		wantJobs(t, d, other, two)
		two = putJob(t, d, "a", "7", "y", jobTime)
		three := putJob(t, d, "a", "7", "z", jobTime)
		finish(t, d, two, true)
		three.LeasedBy, three.LeaseUntil, three.DoneVersion = "", time.UnixMilli(0).UTC(), two.Version
		wantJobs(t, d, other, three)

		// A caller whose lease has expired changes nothing, though the version is the
		// same.
		lost := putJob(t, d, "a", "7", "lost", jobTime)
		kept := leaseDue(t, d, lost.LeaseUntil, "mine", 9)
		if len(kept) != 2 {
			t.Fatalf("%+v are leased after their leases have expired", kept)
		}
		finish(t, d, lost, false)
		fail(t, d, lost)
		wantJobs(t, d, kept...)
		fail(t, d, kept[1])
		kept[1].LeasedBy, kept[1].LeaseUntil, kept[1].Attempt, kept[1].LastError = "", time.UnixMilli(0).UTC(), 1, "down"
		kept[1].RunAt = jobTime.Add(time.Hour)
		wantJobs(t, d, kept...)
	})
}

func TestLeaseJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		late := putJob(t, d, "b", "late", "", jobTime.Add(time.Second))
		early := putJob(t, d, "b", "early", "", jobTime)
		future := putJob(t, d, "b", "future", "", jobTime.Add(time.Second+time.Millisecond))
		busy := putJob(t, d, "b", "busy", "somebody", jobTime)
		now := jobTime.Add(time.Second)
		subjects := func(jobs []db.Job) (s []string) {
			for _, j := range jobs {
				if !j.LeaseUntil.Equal(now.Add(time.Minute)) || j.Payload == "" {
					t.Errorf("leased: %+v", j)
				}
				s = append(s, j.LeasedBy+" "+j.Subject)
			}
			return s
		}
		wantDue := func(want bool) {
			t.Helper()
			view(t, d, func(tx *db.Tx) error {
				if due, err := tx.HasDueJobs("another", db.Times{System: now}); due || err != nil {
					t.Errorf("jobs of another kind are due: %v, %v", due, err)
				}
				due, err := tx.HasDueJobs(kind, db.Times{System: now})
				if due != want {
					t.Errorf("jobs are due: %v", due)
				}
				return err
			})
		}
		wantDue(true)
		if got := subjects(leaseDue(t, d, now, "x", 1)); !cmp.Equal(got, []string{"x early"}) {
			t.Errorf("leased %v", got)
		}
		if got := subjects(leaseDue(t, d, now, "y", 9)); !cmp.Equal(got, []string{"y late"}) {
			t.Errorf("leased %v", got)
		}
		wantDue(false)
		if got := leaseDue(t, d, now, "z", 9); len(got) != 0 {
			t.Errorf("leased twice: %+v", got)
		}
		early.LeasedBy, late.LeasedBy = "x", "y"
		early.LeaseUntil, late.LeaseUntil = now.Add(time.Minute), now.Add(time.Minute)
		wantJobs(t, d, late, early, future, busy)
	})
}

// putJobIn writes a due job of a lane.
func putJobIn(t *testing.T, d *db.DB, l db.Lane, subject string) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		version, err := tx.NextJobVersion(l.StoreKey)
		if err != nil {
			return err
		}
		_, _, err = tx.PutJob(db.Job{StoreKey: l.StoreKey, Kind: l.Kind, Subject: subject, Destination: l.Destination, Version: version, RunAt: jobTime, Payload: "{}"}, jobTime)
		return err
	})
}

func TestDueLanes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "a2", "b")
		lanes := []db.Lane{
			{Kind: "event", StoreKey: "a", Destination: ""},
			{Kind: "event", StoreKey: "a", Destination: "https://x.example/a b"},
			{Kind: "event", StoreKey: "b", Destination: "https://x.example/a b"},
			{Kind: "sitewide", StoreKey: "a", Destination: ""},
			{Kind: "sitewide", StoreKey: "a2", Destination: ""},
		}
		for n, l := range lanes {
			for i := range 3 {
				putJobIn(t, d, l, fmt.Sprint(n, "-", i))
			}
		}
		putJob(t, d, "b", "future", "", jobTime.Add(time.Hour))
		putJob(t, d, "b", "busy", "x", jobTime)
		want := func(want []db.Lane, after db.Lane, limit int) {
			t.Helper()
			view(t, d, func(tx *db.Tx) error {
				got, err := tx.DueLanes(after, db.Times{System: jobTime}, limit)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%d lanes after %v (-want +got):\n%s", limit, after, diff)
				}
				return err
			})
		}
		var sorted []db.Lane // the order is the database's, and the same in each query
		view(t, d, func(tx *db.Tx) (err error) {
			sorted, err = tx.DueLanes(db.Lane{}, db.Times{System: jobTime}, 100)
			return err
		})
		byName := func(a, b db.Lane) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
		if got := slices.SortedFunc(slices.Values(sorted), byName); !cmp.Equal(got, slices.SortedFunc(slices.Values(lanes), byName)) {
			t.Errorf("lanes %v", got)
		}
		for i := range sorted {
			want(sorted[i+1:], sorted[i], 100)
			want(sorted[:i+1], db.Lane{}, i+1)
		}
		update(t, d, func(tx *db.Tx) error {
			jobs, err := tx.LeaseJobs(lanes[1], db.Times{System: jobTime}, "x", jobTime.Add(time.Minute), 2)
			for _, j := range jobs {
				if j.Destination != lanes[1].Destination || j.StoreKey != "a" || j.Kind != "event" {
					t.Errorf("leased %+v", j)
				}
			}
			if len(jobs) != 2 {
				t.Errorf("%d jobs of the lane are leased", len(jobs))
			}
			return err
		})
		want(sorted, db.Lane{}, 100) // one is left
		update(t, d, func(tx *db.Tx) error { return tx.MarkStoreDeleted("b", jobTime) })
		want(slices.DeleteFunc(slices.Clone(sorted), func(l db.Lane) bool { return l.StoreKey == "b" }), db.Lane{}, 100)
	})
}

// A later version of a job may have another destination.
func TestPutJobMovesToAnotherLane(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		for _, destination := range []string{"x", "y"} {
			putJobIn(t, d, db.Lane{Kind: kind, StoreKey: "a", Destination: destination}, "7")
		}
		if jobs := leaseDue(t, d, jobTime, "x", 9); len(jobs) != 1 || jobs[0].Destination != "y" {
			t.Errorf("leased %+v", jobs)
		}
	})
}

// Concurrent callers lease different jobs.
func TestJobsAreLeasedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		const jobs, workers = 60, 6
		for n := range jobs {
			putJob(t, d, "a", fmt.Sprint(n), "", jobTime)
		}
		leased := make([][]db.Job, workers)
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for idle := 0; idle < 2; {
					got := leaseDue(t, d, jobTime, fmt.Sprint("worker ", w), 4)
					leased[w] = append(leased[w], got...)
					if len(got) == 0 {
						idle++ // other workers may have locked the rest
					}
				}
			})
		}
		all.Wait()
		seen := map[int64]bool{}
		for _, list := range leased {
			for _, j := range list {
				if seen[j.ID] {
					t.Errorf("job %d is leased twice", j.ID)
				}
				seen[j.ID] = true
			}
		}
		for _, j := range leaseDue(t, d, jobTime, "last", jobs) {
			seen[j.ID] = true
		}
		if len(seen) != jobs {
			t.Errorf("%d of %d jobs are leased", len(seen), jobs)
		}
	})
}

func TestRetryAndDropJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		busy := putJob(t, d, "a", "busy", "x", jobTime)
		dead := putJob(t, d, "a", "dead", "x", jobTime)
		other := putJob(t, d, "b", "other", "", jobTime)
		dead.State, dead.RunAt, dead.LastError = db.JobDead, jobTime, "down"
		update(t, d, func(tx *db.Tx) error { return tx.FailJob(dead) })
		later := jobTime.Add(time.Second)
		count := func(want int64, fn func(tx *db.Tx) (int64, error)) {
			t.Helper()
			update(t, d, func(tx *db.Tx) error {
				n, err := fn(tx)
				if n != want {
					t.Errorf("%d jobs, want %d", n, want)
				}
				return err
			})
		}
		view(t, d, func(tx *db.Tx) error {
			counts, err := tx.CountJobs()
			if diff := cmp.Diff(map[db.JobState]int64{db.JobWaiting: 2, db.JobDead: 1}, counts); diff != "" {
				t.Error(diff)
			}
			list, err2 := tx.ListJobs("a", db.JobDead)
			if len(list) != 1 || list[0].ID != dead.ID || err2 != nil {
				t.Errorf("dead: %+v, %v", list, err2)
			}
			return err
		})
		count(0, func(tx *db.Tx) (int64, error) { return tx.RetryJobs("a", 1<<40, later) })
		count(0, func(tx *db.Tx) (int64, error) { return tx.RetryJobs("b", dead.ID+100, later) })
		count(1, func(tx *db.Tx) (int64, error) { return tx.RetryJobs("a", dead.ID, later) })
		dead.State, dead.RunAt, dead.LeasedBy, dead.LeaseUntil = db.JobWaiting, later, "", time.UnixMilli(0).UTC()
		wantJobs(t, d, busy, dead, other)
		later = later.Add(time.Second)
		count(2, func(tx *db.Tx) (int64, error) { return tx.RetryJobs("a", 0, later) })
		busy.RunAt, dead.RunAt = later, later
		wantJobs(t, d, busy, dead, other)

		count(0, func(tx *db.Tx) (int64, error) { return tx.DropJobs("a", busy.ID, later) })
		count(1, func(tx *db.Tx) (int64, error) { return tx.DropJobs("a", 0, later) })
		wantJobs(t, d, busy, other)
		count(1, func(tx *db.Tx) (int64, error) { return tx.DropJobs("a", busy.ID, busy.LeaseUntil) })
		wantJobs(t, d, other)
	})
}

// Versions have the order of the changes of a subject: a transaction that waits for the
// lock on the subject gets its version after the one that holds it. On PostgreSQL a lock
// is taken with the next statement, and ids come from another connection.
func TestJobVersionsFollowTheLock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		var first, second int64
		allocate := func(tx *db.Tx, version *int64) (err error) {
			if err := tx.LockFlags("a"); err != nil {
				return err
			}
			*version, err = tx.NextJobVersion("a")
			return err
		}
		var waiting sync.WaitGroup
		update(t, d, func(tx *db.Tx) error {
			if err := errors.Join(tx.LockFlags("a"), tx.Await()); err != nil {
				return err
			}
			started := make(chan struct{})
			waiting.Go(func() {
				close(started)
				if err := d.Update(t.Context(), func(tx *db.Tx) error { return allocate(tx, &second) }); err != nil {
					t.Error(err)
				}
			})
			<-started
			for range 50 { // enough for the other transaction to get as far as it can
				if _, err := tx.Store("a"); err != nil {
					return err
				}
			}
			return allocate(tx, &first)
		})
		waiting.Wait()
		if first >= second {
			t.Errorf("the transaction with the lock has version %d, the next one %d", first, second)
		}
	})
}
