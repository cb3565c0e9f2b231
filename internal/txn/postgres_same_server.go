package txn

import "errors"

// serverRun names what a server does between two recoveries. Two servers, and two starts of
// one, have different times of their start. After the crash of one of its processes a server
// starts the others again and keeps that time, but writes a checkpoint, and so has another
// position for the next recovery. Every other checkpoint changes the position too, which costs
// a retry of what is in progress then.
const serverRun = "(SELECT CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT) || ' ' || redo_lsn FROM pg_control_checkpoint())"

// checkServer fails with a division by zero unless the server is still in the run $1.
const checkServer = "SELECT 1 / CASE WHEN " + serverRun + " = $1 THEN 1 ELSE 0 END"

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
	s.queued = append(s.queued, statement{query: checkServer, args: []any{run}, run: run})
}
