package txn

import "errors"

// runQueries ask a server which run it is in: the time between two recoveries. A server loses
// the latest asynchronous commits when it recovers, and a standby when it is promoted. Their
// runs have different names.
type runQueries struct {
	// name returns no row for a run that has no name yet. begin gives it one, unless it has one;
	// it is empty if each run has a name.
	name, begin string
	// check fails with a division by zero unless the server is still in the run $1.
	check string
}

var (
	// An unlogged table is empty after a recovery, and on a standby that is promoted. The time of
	// the start is for a copy of the database on another server.
	runOfTable = &runQueries{
		begin: `INSERT INTO server_runs (one, run) SELECT 1, CAST(gen_random_uuid() AS TEXT) WHERE NOT EXISTS (SELECT FROM server_runs)
			ON CONFLICT DO NOTHING`,
		name:  "SELECT run || ' ' || " + startTime + " FROM server_runs",
		check: "SELECT 1 / count(*) FROM server_runs WHERE run || ' ' || " + startTime + " = $1",
	}
	// The workers of Citus do not have that table. After the crash of one of its processes a
	// server keeps the time of its start, but writes a checkpoint, and so has another position
	// for the next recovery. Every other checkpoint changes the position too, which costs a
	// retry of what is in progress then. Reading the position takes longer than an insert.
	runOfControlFile = &runQueries{
		name:  "SELECT " + controlFileRun,
		check: "SELECT 1 / CASE WHEN " + controlFileRun + " = $1 THEN 1 ELSE 0 END",
	}
)

const (
	startTime      = "extract(epoch FROM pg_postmaster_start_time())"
	controlFileRun = "(SELECT " + startTime + " || ' ' || redo_lsn FROM pg_control_checkpoint())"
)

func (e *engine) runQueries() *runQueries {
	if e.citus != nil {
		return runOfControlFile
	}
	return runOfTable
}

// errOtherServer means that an id comes from a server that was lost or has recovered since, which
// may have lost the counter: another caller may get the id too. The next attempt takes
// another one.
var errOtherServer = errors.New("the server has changed since it gave the id")

// sameServer makes the transaction fail unless it is in the run of the server that gave an id.
// In that run, the counter is in the write-ahead log in front of the row.
func (s *postgresSession) sameServer(run string) {
	for _, q := range s.queued {
		if q.run == run {
			return
		}
	}
	s.queued = append(s.queued, statement{query: s.db.engine.runQueries().check, args: []any{run}, run: run})
}
