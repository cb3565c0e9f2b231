package txn

import "errors"

// serverStarted is when a server was started, in microseconds. Two servers, and two starts of
// one, have different times.
const serverStarted = "CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)"

// checkServer fails with a division by zero on a server that was not started at $1.
const checkServer = "SELECT 1 / CASE WHEN " + serverStarted + " = $1 THEN 1 ELSE 0 END"

// errOtherServer means that an id comes from a server that was lost or restarted since, which
// may have lost the counter: another caller may get the id too. The next attempt takes
// another one.
var errOtherServer = errors.New("the server has changed since it gave the id")

// sameServer makes the transaction fail unless it is on the server that gave an id, which was
// started at a time. Such a server has the counter in its write-ahead log in front of the row.
func (s *postgresSession) sameServer(started int64) {
	for _, q := range s.queued {
		if q.started == started {
			return
		}
	}
	s.queued = append(s.queued, statement{query: checkServer, args: []any{started}, started: started})
}
