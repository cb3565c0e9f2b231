package txn

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// follower learns which changes other nodes have committed. Every transaction inserts
// its changes into the table recent_changes. A caller of catchUp waits for a query that
// begins after its call, and that returns the changes of all transactions which were
// committed since the query before. One query serves all callers that wait.
//
// What was committed since then follows from the snapshots of the two queries. Numbers
// of transactions are comparable on one server only, and the table is emptied when a
// server crashes. So all of it belongs to one connection, which does not outlive
// either: after a new connection anything may have changed.
type follower struct {
	config  *pgx.ConnConfig
	changed func([]Change)

	conn  *pgx.Conn // nil: none
	seen  *snapshot // of the last query on conn; nil: none
	stale atomic.Bool

	staleness atomic.Int64 // a time.Duration; see DB.AllowStaleness
	asked     atomic.Pointer[time.Time]

	mu      sync.Mutex
	next    *followRound // of callers that no query serves yet; nil: none
	running bool         // a goroutine serves rounds
	resume  time.Time    // until then, catchUp returns false at once
	work    sync.WaitGroup

	queries, failures atomic.Int64 // see Stats

	// The constants of the same names, except in tests.
	failurePause, unrecordedPause time.Duration
}

// followRound is the callers that one query serves.
type followRound struct {
	done chan struct{}
	ok   bool // once done is closed
}

const (
	// followTimeout bounds a query with its connection.
	followTimeout = 2 * time.Second
	// failurePause is how long nodes read from the database without asking, after a query
	// has failed; unrecordedPause is the same after a write of an older version.
	failurePause    = 200 * time.Millisecond
	unrecordedPause = 10 * time.Second
)

func newFollower(config *pgxpool.Config, changed func([]Change)) *follower {
	conn := config.ConnConfig.Copy()
	// The tables are nearly empty or their statistics outdated, and the planner would
	// read all of them.
	conn.RuntimeParams["enable_seqscan"] = "off"
	return &follower{
		config: conn, changed: changed, failurePause: failurePause, unrecordedPause: unrecordedPause,
	}
}

// catchUp returns true when watchers know of every change that was committed before the
// call, or that long before as staleness allows. It returns false if that cannot be known.
func (f *follower) catchUp(ctx context.Context) bool {
	if f.isRecent() {
		return true
	}
	r := f.join()
	if r == nil {
		return false
	}
	select {
	case <-r.done:
		return r.ok
	case <-ctx.Done():
		return false
	}
}

// isRecent reports whether the last query is as recent as it has to be.
func (f *follower) isRecent() bool {
	allowed, asked := time.Duration(f.staleness.Load()), f.asked.Load()
	return allowed > 0 && asked != nil && time.Since(*asked) < allowed
}

// join returns the round whose query has not begun yet, or nil during a pause.
func (f *follower) join() *followRound {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pauses() {
		return nil
	}
	if f.next == nil {
		f.next = &followRound{done: make(chan struct{})}
	}
	if !f.running {
		f.running = true
		f.work.Go(f.run)
	}
	return f.next
}

func (f *follower) pauses() bool { return !f.resume.IsZero() && time.Now().Before(f.resume) }

// run serves rounds until no caller waits.
func (f *follower) run() {
	for r := f.take(); r != nil; r = f.take() {
		begun := time.Now()
		ok, pause := f.follow()
		if ok {
			f.asked.Store(&begun)
		} else {
			f.mu.Lock()
			f.resume = time.Now().Add(pause)
			f.mu.Unlock()
		}
		r.ok = ok
		close(r.done)
	}
}

// take returns the next round. All requests that have arrived join it first: a query costs
// more than they do.
func (f *follower) take() *followRound {
	runtime.Gosched()
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.next
	f.next = nil
	f.running = r != nil
	return r
}

// follow asks once, and passes the changes on. After a failure it returns for how long
// to pause.
func (f *follower) follow() (ok bool, pause time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), followTimeout)
	defer cancel()
	f.queries.Add(1)
	had := f.conn != nil
	n, err := f.ask(ctx)
	if err != nil && had { // the server may have been restarted since the last query
		n, err = f.ask(ctx)
	}
	switch {
	case err != nil:
		f.failures.Add(1)
		return false, f.failurePause
	case n.unrecorded:
		f.seen = nil
		f.failures.Add(1)
		return false, f.unrecordedPause
	case f.seen == nil || !f.seen.covers(n.deleted) || len(n.texts) > maxFollowed:
		f.changed([]Change{{Kind: AnythingChanged}})
	default:
		f.pass(n.texts)
	}
	f.seen = &n.now
	return true, 0
}

func (f *follower) pass(texts []string) {
	var changes []Change
	for _, text := range texts {
		changes = append(changes, decodeChanges(text)...)
	}
	if len(changes) > 0 {
		f.changed(changes)
	}
}

// news is the result of a query.
type news struct {
	now        snapshot
	texts      []string // the changes of transactions
	deleted    int64    // rows of transactions below may have been deleted
	unrecorded bool     // a node has written that does not record its changes
}

// maxFollowed is how many transactions a query returns.
const maxFollowed = 500

// followQuery returns the changes of transactions that were running when the last
// snapshot was taken ($2), or have a number since ($1). Every transaction writes a
// receipt, and those of older versions of Cohort show in theirs that they do not record
// their changes.
const followQuery = `SELECT CAST(txid_current_snapshot() AS TEXT),
	EXISTS (SELECT FROM receipts WHERE NOT records_changes),
	coalesce((SELECT max(CAST(changes AS BIGINT)) FROM recent_changes WHERE txid = 0), 0),
	ARRAY(SELECT changes FROM recent_changes WHERE txid >= $1 OR txid = ANY($2) LIMIT $3)`

func (f *follower) ask(ctx context.Context) (n news, err error) {
	if err := f.connect(ctx); err != nil {
		return n, err
	}
	since := never
	if f.seen != nil {
		since = *f.seen
	}
	var now string
	err = f.conn.QueryRow(ctx, followQuery, since.next, since.running, maxFollowed+1).Scan(&now, &n.unrecorded, &n.deleted, &n.texts)
	if err == nil {
		n.now, err = parseSnapshot(now)
	}
	if err != nil {
		f.disconnect()
	}
	return n, err
}

// reset makes the next query use a new connection: the present one may lead to a server
// that is no longer the primary.
func (f *follower) reset() { f.stale.Store(true) }

func (f *follower) connect(ctx context.Context) (err error) {
	if f.stale.Swap(false) {
		f.disconnect()
	}
	if f.conn == nil {
		f.conn, err = pgx.ConnectConfig(ctx, f.config)
	}
	return err
}

func (f *follower) disconnect() {
	f.seen = nil
	if f.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = f.conn.Close(ctx) // it is of no use any more
	f.conn = nil
}

// close is called when no caller waits.
func (f *follower) close() {
	f.work.Wait()
	f.disconnect()
}
