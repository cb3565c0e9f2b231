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
	"cohort.example/cohort/internal/txn"
)

const pageSize = 4096

// logOf returns the path of the write-ahead log, which only SQLite has as a
// file of ours. So all tests of it are on SQLite alone.
func logOf(url string) string { return strings.TrimPrefix(url, "sqlite:") + "-wal" }

// addNotes adds the customer whose notes are what writeNotes writes.
func addNotes(t testing.TB, d *db.DB) {
	t.Helper()
	c := memberOf(1)
	c.GroupID = 0
	update(t, d, func(tx *db.Tx) error { return tx.InsertCustomer("a", c, "") })
}

// writeNotes writes some pages, which are others in each version.
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

// wantNotes fails unless the notes are those of the version.
func wantNotes(t testing.TB, tx *db.Tx, pages, version int) {
	t.Helper()
	c, err := tx.Customer("a", 1)
	if err != nil || c.Notes != notes(pages, version) {
		t.Errorf("got %d bytes of %.1s, error %v", len(c.Notes), c.Notes, err)
	}
}

// However much is written, and without a rest, the log does not grow for ever.
func TestLogIsBounded(t *testing.T) {
	const pages, most = 40, 3 * txn.CheckpointPages * pageSize
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	log := logOf(url)
	d := dbtest.Open(t, url)
	addStores(t, d, "a")
	addNotes(t, d)
	for version := range 4 * txn.CheckpointPages / pages {
		writeNotes(t, d, pages, version)
		info, err := os.Stat(log)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > most {
			t.Fatalf("the log has %d MB after %d updates", info.Size()/1e6, version+1)
		}
	}
}

// Somebody always reads, each time something else: there is no moment when the
// log could begin anew by itself.
func TestLogIsBoundedWhileOthersRead(t *testing.T) {
	const pages, most = 40, 3 * txn.CheckpointPages * pageSize
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	log := logOf(url)
	d := dbtest.Open(t, url)
	addStores(t, d, "a")
	addNotes(t, d)
	update(t, d, func(tx *db.Tx) (err error) {
		for range 100 {
			err = errors.Join(err, addNext(tx, "a", "x"))
		}
		return err
	})
	var reading sync.WaitGroup
	var done atomic.Bool
	for range 3 {
		reading.Go(func() {
			for !done.Load() && !t.Failed() {
				listGroups(t, d, "a", everything, onePage)
			}
		})
	}
	for version := range 6 * txn.CheckpointPages / pages {
		writeNotes(t, d, pages, version)
		if info, err := os.Stat(log); err != nil || info.Size() > most {
			t.Errorf("error %v, the log has %d MB after %d updates", err, info.Size()/1e6, version+1)
			break
		}
	}
	done.Store(true)
	reading.Wait()
}

// The log begins anew when it is long, for which the writer rests: not before
// his batch is through, but before his queue is.
func TestLogBeginsAnew(t *testing.T) {
	const pages = txn.CheckpointPages / 4
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		c := d.NewCheckpointer(t)
		addNotes(t, d)
		writeNotes(t, d, pages, 1)
		c.Bound()
		if log := d.Checkpoint(t, "NOOP"); log.Pages < pages || log.Moved > 0 {
			t.Errorf("a log that is not long yet is %+v", log)
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
			t.Error("the writer did not rest")
		default:
		}
		if log := d.Checkpoint(t, "NOOP"); log.Pages < 4*pages || log.Moved != log.Pages {
			t.Errorf("before the writer rests the log is %+v", log)
		}
		release()
		<-bounded
		update(t, d, add("a", "x"))
		if log := d.Checkpoint(t, "NOOP"); log.Pages > pages {
			t.Errorf("after the next update the log is %+v", log)
		}
		view(t, d, func(tx *db.Tx) error { wantNotes(t, tx, pages, 5); return nil })
	})
}

func TestWriterRestsBetweenBatches(t *testing.T) {
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
		go func() { defer close(paused); d.Pause(func() { order = append(order, "a rest") }) }()
		synctest.Wait()
		release()
		wantDone(t, queued)
		<-paused
		d.Pause(func() { order = append(order, "a rest from nothing") })
		if want := []string{"a rest", "+a/1 x", "a rest from nothing"}; !slices.Equal(order, want) {
			t.Errorf("got %q, want %q", order, want)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		d.Pause(func() { t.Error("a rest of a writer that is no more") })
	})
}

// What somebody still reads cannot be moved. He goes on seeing his moment, and
// when he is done all of it is moved.
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
			t.Errorf("while somebody reads the log is %+v", log)
		}
		wantNotes(t, tx, pages, 1)
		return nil
	})
	c.Bound()
	wantEmpty(t, d)
}

// wantEmpty fails unless all of the log is moved.
func wantEmpty(t *testing.T, d *db.DB) {
	t.Helper()
	if log := d.Checkpoint(t, "NOOP"); log.Pages != log.Moved || log.Busy {
		t.Errorf("the log is %+v", log)
	}
}

func TestLogIsEmptiedWhenNothingIsWritten(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		for range 3 {
			update(t, d, add("a", "x"))
			if log := d.Checkpoint(t, "NOOP"); log.Pages == 0 || log.Moved == log.Pages {
				t.Errorf("at once the log is %+v", log)
			}
			time.Sleep(time.Second) // of the bubble's time
			synctest.Wait()
			wantEmpty(t, d)
		}
	})
}

// A panic in a view ends its transaction: what it saw would have to be kept in
// the log for ever.
func TestViewThatPanicsIsOver(t *testing.T) {
	sqliteBubbleURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		addStores(t, d, "a")
		panics := func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic does not come through")
				}
			}()
			view(t, d, func(tx *db.Tx) error {
				if err := tx.EachGroup("a", 10, func(cohort.Group) { panic("in the middle of rows") }); err != nil {
					return err
				}
				panic("ours")
			})
		}
		for range 50 { // more than there are connections
			panics()
			update(t, d, add("a", "x"))
		}
		d.Checkpoint(t, "PASSIVE")
		wantEmpty(t, d)
	})
}
