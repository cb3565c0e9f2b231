package txn

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// workerPatience is how long transactions are retried after Citus has lost a worker, and
// outageLife how long a worker counts as lost since the last transaction that it failed.
// While it does, a transaction is attempted once: its caller gets the error at once, and
// the first one after the return of the worker succeeds.
const (
	workerPatience = time.Second
	outageLife     = 10 * time.Second
)

// outages remembers which workers Citus cannot reach.
type outages struct {
	mu      sync.Mutex
	workers map[string]outage
}

type outage struct{ first, last time.Time }

// lasts notes that a worker was lost, and reports whether that has lasted for so long that
// a retry is of no use.
func (o *outages) lasts(worker string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	was := o.workers[worker]
	if now.Sub(was.last) > outageLife {
		was.first = now
	}
	was.last = now
	if o.workers == nil {
		o.workers = map[string]outage{}
	}
	o.workers[worker] = was
	return now.Sub(was.first) > workerPatience
}

// internalError is the error code of a server that is broken, and of Citus for a connection
// that has broken and that the transaction cannot do without.
const internalError = "XX000"

// lostWorker returns the worker that Citus could not reach, "" for other errors. The
// connection to the server that says so is open.
func lostWorker(err error) string {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || !strings.HasPrefix(e.Code, "08") && e.Code != internalError {
		return ""
	}
	if m := remoteNode.FindStringSubmatch(e.Message + "\n" + e.Where); m != nil {
		return m[1]
	}
	if e.Code == internalError {
		return ""
	}
	return "unknown"
}

// remoteNode matches the address of a worker, HOST:PORT, in an error of Citus.
var remoteNode = regexp.MustCompile(`(?:@|command on |essential: )(\S+:\d+)`)
