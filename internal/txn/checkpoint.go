package txn

import (
	"context"
	"fmt"
	"time"
)

// checkpointPages is how many pages of 4 KiB the write-ahead log holds when it
// is emptied.
const checkpointPages = 4_000

// checkpointAfter is how many batches are written from one look at the log to
// the next.
const checkpointAfter = 32

// checkpointEvery is how often the log is emptied without need, so that there
// is little in it when the process starts the next time, or the disk is full.
const checkpointEvery = time.Second

// checkpointer moves pages from the write-ahead log into the database file, on
// a connection of its own, so that no commit has to do it. The log can begin
// anew only when all of it is moved, which never happens by itself while
// somebody writes all the time. So most of it is moved beside the writer, who
// then pauses for the few pages that it has added meanwhile.
type checkpointer struct {
	session session
	writer  *writer
	batches int // since the last look; the writer's
	wake    chan struct{}
	quit    chan struct{}
	stopped chan struct{}
}

// checkpointPatience is how long the writer rests at most for those who read.
const checkpointPatience = 100 * time.Millisecond

func newCheckpointer(s session, w *writer) *checkpointer {
	// Should it fail, the patience is that of every connection.
	_, _ = s.exec(context.Background(), fmt.Sprint("PRAGMA busy_timeout = ", checkpointPatience.Milliseconds()), nil)
	return &checkpointer{session: s, writer: w, wake: make(chan struct{}, 1), quit: make(chan struct{}), stopped: make(chan struct{})}
}

// written is called by the writer after each batch.
func (c *checkpointer) written() {
	if c.batches++; c.batches < checkpointAfter {
		return
	}
	c.batches = 0
	select {
	case c.wake <- struct{}{}:
	default: // awake
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

// bound keeps the log from growing.
func (c *checkpointer) bound() {
	if c.checkpoint("NOOP") < checkpointPages {
		return
	}
	c.checkpoint("PASSIVE")
	// Nobody who reads the log may be left, or it goes on where it is. Those who
	// come now read the file, so it takes no longer than what is being read.
	c.writer.pause(func() { c.checkpoint("RESTART") })
}

// checkpoint returns how many pages there are in the log. If it cannot do its
// work the log grows, which is no harm to anybody's data, and it is tried again.
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
