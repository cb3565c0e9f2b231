package txn

import (
	"context"
	"fmt"
	"time"
)

// checkpointPages is the size of the write-ahead log, in pages of 4 KiB, from which
// it is restarted.
const checkpointPages = 4_000

// checkpointAfter is the number of batches between two checks of the log's size.
const checkpointAfter = 32

// checkpointEvery is the interval of routine checkpoints, which keep the log small in
// case the process restarts or the disk fills up.
const checkpointEvery = time.Second

// checkpointer moves pages from the write-ahead log into the database file on a
// connection of its own, so that no commit has to. The log can restart from its
// beginning only after all of it is moved, which under constant writes never happens
// by itself. So the checkpointer moves most pages while the writer works, and then
// pauses the writer for the few pages added meanwhile.
type checkpointer struct {
	session session
	writer  *writer
	batches int   // since the last check; only the writer goroutine uses it
	pages   int64 // the constant checkpointPages, except in tests
	wake    chan struct{}
	quit    chan struct{}
	stopped chan struct{}
}

// checkpointPatience is how long the writer pauses at most for readers.
const checkpointPatience = 100 * time.Millisecond

func newCheckpointer(s session, w *writer) *checkpointer {
	// If this fails, the timeout of every connection applies.
	_, _ = s.exec(context.Background(), fmt.Sprint("PRAGMA busy_timeout = ", checkpointPatience.Milliseconds()), nil)
	return &checkpointer{session: s, writer: w, pages: checkpointPages, wake: make(chan struct{}, 1), quit: make(chan struct{}), stopped: make(chan struct{})}
}

// written is called by the writer after each batch.
func (c *checkpointer) written() {
	if c.batches++; c.batches < checkpointAfter {
		return
	}
	c.batches = 0
	select {
	case c.wake <- struct{}{}:
	default: // already signalled
	}
}

func (c *checkpointer) run() {
	defer close(c.stopped)
	ticks := time.NewTicker(checkpointEvery)
	defer ticks.Stop()
	for {
		select {
		case <-c.quit:
			return
		case <-c.wake:
			c.bound()
		case <-ticks.C:
			c.checkpoint("PASSIVE")
		}
	}
}

// bound restarts the log if it has grown too large.
func (c *checkpointer) bound() {
	if c.checkpoint("NOOP") < c.pages {
		return
	}
	c.checkpoint("PASSIVE")
	// RESTART waits for the transactions that read from the log. New ones read from
	// the file, so the wait is as long as the longest current read.
	c.writer.pause(func() { c.checkpoint("RESTART") })
}

// checkpoint runs a checkpoint and returns how many pages the log has. If it fails,
// the log grows and the next one retries; no data is at risk.
func (c *checkpointer) checkpoint(mode string) (pages int64) {
	var busy, moved int64
	tx := &Tx{ctx: context.Background(), lookups: context.Background(), session: c.session, engine: c.writer.engine}
	if err := tx.QueryRow("PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &moved); err != nil {
		return 0
	}
	return pages
}

func (c *checkpointer) stop() error {
	close(c.quit)
	<-c.stopped
	return c.session.close()
}
