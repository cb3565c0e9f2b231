package db

import (
	"errors"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// Lane is what jobs take turns by: a kind, a store and a destination.
type Lane struct{ Kind, StoreKey, Destination string }

// laneOf is the lane of a job as one text, by which lanes are sorted. The index
// jobs_by_lane is on this expression.
const laneOf = "kind || ' ' || store_hash || ' ' || destination"

// text returns the lane as laneOf has it; the zero Lane is "", which is before all.
func (l Lane) text() string {
	if l == (Lane{}) {
		return ""
	}
	return l.Kind + " " + l.StoreKey + " " + l.Destination
}

// parseLane is the opposite of text. A kind and a store's key have no spaces.
func parseLane(text string) Lane {
	kind, rest, _ := strings.Cut(text, " ")
	store, destination, _ := strings.Cut(rest, " ")
	return Lane{kind, store, destination}
}

// due returns the condition of a job that is due at a time and has no lease at $2. The
// jobs of a deleted store are deleted with its other rows.
func due(at string) string {
	return "state = 'waiting' AND run_at <= " + at + " AND lease_until <= $2" +
		" AND NOT EXISTS (SELECT 1 FROM stores WHERE stores.hash = jobs.store_hash AND date_deleted > 0)"
}

// HasDueJobs reports whether jobs of a kind, of any store, are due now and have no
// lease.
func (t *Tx) HasDueJobs(kind string, now Times) (bool, error) {
	w := &where{args: []any{kind, now.System.UnixMilli()}}
	var one int
	err := t.Lookup("SELECT 1 FROM jobs WHERE kind = $1 AND "+due(now.of(w, "jobs.store_hash", "$2"))+" LIMIT 1", w.args...).Scan(&one)
	if errors.Is(err, txn.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// DueLanes returns the lanes that have jobs which are due now and have no lease: up to
// limit of those that follow a lane, in their order.
//
// The query jumps from lane to lane in the index, so the number of jobs in a lane
// does not matter. The subqueries have a LIMIT, so that PostgreSQL evaluates them for
// one lane after another and stops at the last LIMIT. Citus does not recurse over several
// shards: there the query reads the due jobs of these lanes in the order of the index.
func (t *Tx) DueLanes(after Lane, now Times, limit int) ([]Lane, error) {
	w := &where{args: []any{after.text(), now.System.UnixMilli(), limit}}
	if t.SQL().Distributed {
		return t.lanes(`SELECT `+laneOf+` AS lane FROM jobs WHERE `+laneOf+` > $1 AND `+due(now.of(w, "jobs.store_hash", "$2"))+`
			GROUP BY 1 ORDER BY 1 LIMIT CAST($3 AS BIGINT)`, w.args...)
	}
	const nextLane = "(SELECT " + laneOf + " FROM jobs WHERE state = 'waiting' AND " + laneOf + " > "
	return t.lanes(`WITH RECURSIVE lanes (lane) AS (
			SELECT `+nextLane+`$1 ORDER BY 1 LIMIT 1)
			UNION ALL
			SELECT `+nextLane+`lanes.lane ORDER BY 1 LIMIT 1) FROM lanes WHERE lanes.lane IS NOT NULL
		)
		SELECT lane FROM lanes
		WHERE (SELECT 1 FROM jobs WHERE `+laneOf+` = lanes.lane AND `+due(now.of(w, "jobs.store_hash", "$2"))+` LIMIT 1) = 1
		LIMIT CAST($3 AS BIGINT)`, w.args...)
}

// lanes returns the lanes that a query finds, as texts.
func (t *Tx) lanes(query string, args ...any) ([]Lane, error) {
	rows, err := t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (Lane, error) {
		var text string
		err := row.Scan(&text)
		return parseLane(text), err
	})
}

// LeaseJobs leases up to limit jobs of a lane that are due now and have no lease, the
// longest due first, and returns them. It skips jobs that another transaction has
// locked. The query names the store, so that it touches one shard.
func (t *Tx) LeaseJobs(l Lane, now Times, leasedBy string, until time.Time, limit int) ([]Job, error) {
	rows, err := t.Query("SELECT "+jobColumns+" FROM jobs WHERE store_hash = $4 AND "+laneOf+" = $1 AND "+due("$5")+
		" ORDER BY run_at LIMIT CAST($3 AS BIGINT)"+t.SQL().ForUpdate+t.SQL().SkipLocked,
		l.text(), now.System.UnixMilli(), limit, l.StoreKey, now.Of(l.StoreKey).UnixMilli())
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
			j.StoreKey, j.ID, leasedBy, until.UnixMilli()); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// LeaseJob leases one job to j.LeasedBy until j.LeaseUntil, whether it is due or not,
// and returns it. It returns KindNotFound if the job is gone or dead, or has a lease
// that is held at a time.
func (t *Tx) LeaseJob(j Job, now time.Time) (Job, error) {
	leased, err := scanJob(t.QueryRow(`UPDATE jobs SET leased_by = $3, lease_until = $4
		WHERE store_hash = $1 AND id = $2 AND state = 'waiting' AND lease_until <= $5 RETURNING `+jobColumns,
		j.StoreKey, j.ID, j.LeasedBy, j.LeaseUntil.UnixMilli(), now.UnixMilli()))
	if errors.Is(err, txn.ErrNoRows) {
		return leased, cohort.NotFound(jobName(j.ID))
	}
	return leased, err
}
