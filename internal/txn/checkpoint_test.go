package txn_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
	"cohort.example/cohort/internal/txn"
)

const pageSize = 4096

// logOf returns the path of the write-ahead log of a SQLite database.
func logOf(url string) string { return strings.TrimPrefix(url, "sqlite:") + "-wal" }

// addNotes adds the customer whose notes writeNotes changes.
func addNotes(t testing.TB, d *db.DB) {
	t.Helper()
	c := memberOf(1)
	c.GroupID = 0
	update(t, d, func(tx *db.Tx) error { return tx.InsertCustomer("a", c, "") })
}

// writeNotes writes a number of pages. Their content depends on the version.
func writeNotes(t testing.TB, d *db.DB, pages, version int) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec("UPDATE customers SET notes = $1", notes(pages, version))
		return err
	})
}

func notes(pages, version int) string {
	return strings.Repeat(string(rune('a'+version%26)), pages*pageSize)
}

// wantNotes fails unless the notes have the content of the version.
func wantNotes(t testing.TB, tx *db.Tx, pages, version int) {
	t.Helper()
	c, err := tx.Customer("a", 1)
	if err != nil || c.Notes != notes(pages, version) {
		t.Errorf("got %d bytes of %.1s, error %v", len(c.Notes), c.Notes, err)
	}
}

// pagesOfWrite is the size of the writes that make the log grow. Both forms of the tests
// have it: the log exceeds its limit by the writes during a restart, and there are more
// of them the less each one takes.
const pagesOfWrite = 40

// logWrites returns the number of writes that fill the log so many times.
func logWrites(times int) int { return times * txn.CheckpointPages / pagesOfWrite }

// The log does not grow without bound under constant writes.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedSQLiteURL(t)
	log := logOf(url)
	d := dbtest.Open(t, url)
	addStores(t, d, "a")
	addNotes(t, d)
	for version := range logWrites(4) {
		writeNotes(t, d, pagesOfWrite, version)
		wantLogBelow(t, log, 3*txn.CheckpointPages)
	}
}

func wantLogBelow(t *testing.T, log string, pages int) {
	t.Helper()
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > int64(pages)*pageSize {
		t.Fatalf("the log has %d pages, want at most %d", info.Size()/pageSize, pages)
	}
}

// Readers overlap all the time, so the log can never restart by itself.
func TestLogIsBoundedDuringReads(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedSQLiteURL(t)
	log := logOf(url)
	d := dbtest.Open(t, url)
	addStores(t, d, "a")
	addNotes(t, d)
	update(t, d, func(tx *db.Tx) (err error) {
		for range 100 {
			err = errors.Join(err, addNext(tx, "a", newName()))
		}
		return err
	})
	var reading sync.WaitGroup
	var done atomic.Bool
	for range 3 {
		reading.Go(func() {
			for !done.Load() && !t.Failed() {
				listGroups(t, d, "a", allGroups, onePage)
			}
		})
	}
	defer func() {
		done.Store(true)
		reading.Wait()
	}()
	for version := range logWrites(testenv.Times(6, 4)) {
		writeNotes(t, d, pagesOfWrite, version)
		wantLogBelow(t, log, 3*txn.CheckpointPages)
	}
}

// A log that has grown too large is restarted between two batches of the writer,
// even if more requests are queued.
func TestLogRestarts(t *testing.T) {
	const pages = txn.CheckpointPages / 4
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		c := d.NewCheckpointer(t)
		addNotes(t, d)
		writeNotes(t, d, pages, 1)
		c.Bound()
		if log := d.Checkpoint(t, "NOOP"); log.Pages < pages || log.Moved > 0 {
			t.Errorf("the log is restarted too early: %+v", log)
		}
		for version := range 4 {
			writeNotes(t, d, pages, version+2)
		}
		release := hold(t, d)
		bounded := make(chan struct{})
		go func() { defer close(bounded); c.Bound() }()
		synctest.Wait()
		select {
		case <-bounded:
			t.Error("the log was restarted during a batch")
		default:
		}
		if log := d.Checkpoint(t, "NOOP"); log.Pages < 4*pages || log.Moved != log.Pages {
			t.Errorf("not all pages are moved before the writer is paused: %+v", log)
		}
		release()
		<-bounded
		update(t, d, add("a", "x"))
		if log := d.Checkpoint(t, "NOOP"); log.Pages > pages {
			t.Errorf("the log is not restarted by the next update: %+v", log)
		}
		view(t, d, func(tx *db.Tx) error { wantNotes(t, tx, pages, 5); return nil })
	})
}

func TestWriterPausesBetweenBatches(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		addStores(t, d, "a")
		var order []string
		d.Watch(func(changes []db.Change) { order = append(order, describe(changes)) })
		release := hold(t, d)
		queued := queue(t, d, add("a", "x"))
		paused := make(chan struct{})
		go func() { defer close(paused); d.Pause(func() { order = append(order, "pause") }) }()
		synctest.Wait()
		release()
		wantDone(t, queued)
		<-paused
		d.Pause(func() { order = append(order, "idle pause") })
		if want := []string{"pause", "+a/1 x", "idle pause"}; !slices.Equal(order, want) {
			t.Errorf("got the order %q, want %q", order, want)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		d.Pause(func() { t.Error("a stopped writer runs a pause") })
	})
}

// Pages that a reader may still need are not moved, and the reader keeps its
// snapshot. When it ends, all pages are moved.
func TestLogIsKeptForReaders(t *testing.T) {
	const pages = txn.CheckpointPages / 3
	t.Parallel()
	d := dbtest.SQLite(t)
	addStores(t, d, "a")
	c := d.NewCheckpointer(t)
	addNotes(t, d)
	writeNotes(t, d, pages, 1)
	view(t, d, func(tx *db.Tx) error {
		wantNotes(t, tx, pages, 1)
		for version := range 4 {
			writeNotes(t, d, pages, version+2)
			c.Bound()
		}
		if log := d.Checkpoint(t, "NOOP"); log.Pages < 4*pages || log.Moved > 2*pages {
			t.Errorf("during the read the log is %+v, want at least %d pages and at most %d of them moved", log, 4*pages, 2*pages)
		}
		wantNotes(t, tx, pages, 1)
		return nil
	})
	c.Bound()
	wantEmpty(t, d)
}

// wantEmpty fails unless all pages of the log are moved.
func wantEmpty(t *testing.T, d *db.DB) {
	t.Helper()
	if log := d.Checkpoint(t, "NOOP"); log.Pages != log.Moved || log.Busy {
		t.Errorf("not all pages of the log are moved: %+v", log)
	}
}

func TestIdleLogIsEmptied(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		for range 3 {
			update(t, d, add("a", newName()))
			if log := d.Checkpoint(t, "NOOP"); log.Pages == 0 || log.Moved == log.Pages {
				t.Errorf("right after the update all pages of the log are moved: %+v", log)
			}
			time.Sleep(time.Second) // on the fake clock
			synctest.Wait()
			wantEmpty(t, d)
		}
	})
}

// A panic in a view ends its transaction. Otherwise the log would have to keep the
// snapshot for ever.
func TestPanicEndsView(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		panics := func() {
			defer func() {
				if recover() == nil {
					t.Error("View did not panic")
				}
			}()
			view(t, d, func(tx *db.Tx) error {
				if err := tx.EachGroup("a", 10, func(cohort.Group) { panic("in the middle of rows") }); err != nil {
					return err
				}
				panic("ours")
			})
		}
		for range 50 { // more than the pool has connections
			panics()
			update(t, d, add("a", newName()))
		}
		d.Checkpoint(t, "PASSIVE")
		wantEmpty(t, d)
	})
}
