package txn_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// keptGroups is how many groups addWhole keeps; it deletes older ones.
const keptGroups = 10

// addWhole is one update of the power tests, and returns its number. It writes to several
// tables, so that a partial update is detectable. The number of the last update
// determines the content of all tables.
func addWhole(tx *db.Tx) (n int64, err error) {
	if n, err = tx.NextID("a", "customer_group"); err != nil {
		return n, err
	}
	if err := tx.ClearDefaultGroup("a", t0); err != nil {
		return n, err
	}
	if err := tx.InsertGroup("a", groupOf(n, n)); err != nil {
		return n, err
	}
	if err := tx.InsertCustomer("a", memberOf(n), ""); err != nil || n <= keptGroups {
		return n, err
	}
	if err := tx.DeleteCustomer("a", memberOf(n-keptGroups)); err != nil {
		return n, err
	}
	return n, tx.DeleteGroup("a", n-keptGroups)
}

// groupOf returns group n as it is after the update last.
func groupOf(n, last int64) cohort.Group {
	g := newGroup(n, fmt.Sprint("group ", n))
	g.IsDefault = n == last
	return g
}

// memberOf returns the only member of group n. Some are larger than a page.
func memberOf(n int64) cohort.Customer {
	return cohort.Customer{
		ID: n, GroupID: n, Email: fmt.Sprint(n, "@example.com"), Notes: strings.Repeat("x", int(n%3)*3000),
		DateCreated: t0, DateModified: t0,
	}
}

// lastWhole returns the number of the last update in a database. It fails unless the
// tables have exactly the content after that update.
func lastWhole(t *testing.T, d *db.DB) (last int64) {
	t.Helper()
	var groups []cohort.Group
	var customers []cohort.Customer
	var counts map[int64]int64
	view(t, d, func(tx *db.Tx) (err error) {
		if groups, err = tx.ListGroups("a", allGroups, onePage); err != nil {
			return err
		}
		if customers, err = dbtest.Customers(tx, "a", cohort.CustomerFilter{}, onePage); err != nil {
			return err
		}
		counts, err = tx.MemberCounts("a")
		return err
	})
	if len(groups) > 0 {
		last = groups[len(groups)-1].ID
	}
	var wantGroups []cohort.Group
	var wantCustomers []cohort.Customer
	for n := max(1, last-keptGroups+1); n <= last; n++ {
		wantGroups, wantCustomers = append(wantGroups, groupOf(n, last)), append(wantCustomers, memberOf(n))
		if counts[n] != 1 {
			t.Errorf("group %d has %d members, want 1", n, counts[n])
		}
	}
	if diff := cmp.Diff(wantGroups, groups, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("groups after update %d (-want +got):\n%s", last, diff)
	}
	if diff := cmp.Diff(wantCustomers, customers, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("customers after update %d (-want +got):\n%s", last, diff)
	}
	return last
}

// recording is an open database with copies of its files.
type recording struct {
	*db.DB
	path string
	// file stays open until the database is closed, because closing it drops the locks
	// that this process has on the file.
	file *os.File

	base []byte // the database file at the start of the log
	wal  []byte // the whole log
	acks []ack
}

// ack is the number of an acknowledged update, and the length of the log in bytes at that
// moment.
type ack struct{ update, length int64 }

// newRecording creates a database with a store.
func newRecording(t *testing.T) *recording {
	t.Helper()
	url := dbtest.SQLiteURL(t)
	r := &recording{path: strings.TrimPrefix(url, "sqlite:")}
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	addStores(t, d, "a")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if r.file, err = os.Open(r.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.file.Close() })
	r.DB = dbtest.Open(t, url)
	return r
}

// record records what fn adds to an empty log. An open read transaction keeps the log
// from being moved into the database file and from restarting.
func (r *recording) record(t *testing.T, fn func()) {
	t.Helper()
	r.acks = []ack{{update: lastWhole(t, r.DB)}}
	release := r.read(t)
	r.base = r.content(t)
	fn()
	if !slices.Equal(r.base, r.content(t)) {
		t.Error("the database file changed during the read")
	}
	var err error
	if r.wal, err = os.ReadFile(r.path + "-wal"); err != nil {
		t.Error(err)
	}
	release()
}

// read keeps a read transaction open until release is called.
func (r *recording) read(t *testing.T) (release func()) {
	t.Helper()
	reading, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- r.View(context.Background(), func(tx *db.Tx) error {
			_, err := tx.CountGroups("a", allGroups)
			close(reading)
			<-end
			return err
		})
	}()
	select {
	case <-reading:
	case err := <-ended:
		t.Fatal(err)
	}
	return func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// content returns the content of the database file.
func (r *recording) content(t *testing.T) []byte {
	t.Helper()
	info, err := r.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(io.NewSectionReader(r.file, 0, info.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// add runs one update.
func (r *recording) add() (a ack, err error) {
	err = r.Update(context.Background(), func(tx *db.Tx) (err error) {
		a.update, err = addWhole(tx)
		return err
	})
	if err != nil {
		return a, err
	}
	info, err := os.Stat(r.path + "-wal")
	if err != nil {
		return a, err
	}
	a.length = info.Size()
	return a, nil
}

// addSerially runs n updates one after another.
func (r *recording) addSerially(t *testing.T, n int) {
	for range n {
		a, err := r.add()
		if err != nil {
			t.Error(err)
			return
		}
		if before := r.acks[len(r.acks)-1]; a.length <= before.length {
			t.Errorf("the log has %d bytes after update %d, and %d before", a.length, a.update, before.length)
		}
		r.acks = append(r.acks, a)
	}
}

// addConcurrently runs updates that may share commits.
func (r *recording) addConcurrently(t *testing.T, callers, each int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				a, err := r.add()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				r.acks = append(r.acks, a)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// checkpoint moves the log into the database file.
func checkpoint(t *testing.T, path, mode string) {
	t.Helper()
	conn, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// The checkpointer may be running, and SQLite does not wait for it.
	for busy := 1; busy != 0; {
		var length, copied int
		if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &length, &copied); err != nil {
			t.Fatal(err)
		}
	}
}

// disk is the disk of a database after a simulated power failure.
type disk struct{ path string }

func newDisk(t *testing.T) disk { return disk{filepath.Join(t.TempDir(), "cohort.db")} }

// wantRecovered opens the database from the content of its files after the power failure.
// It fails unless the database has all updates up to least and none after most,
// passes SQLite's integrity check, and accepts more updates.
func (d disk) wantRecovered(t *testing.T, file, wal []byte, least, most int64) {
	t.Helper()
	for suffix, content := range map[string][]byte{"": file, "-wal": wal} {
		if err := os.WriteFile(d.path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recovered, err := db.OpenExisting(t.Context(), "sqlite:"+d.path)
	if err != nil {
		t.Fatal(err)
	}
	last := lastWhole(t, recovered)
	if last < least || last > most {
		t.Errorf("the last update is %d, want %d to %d", last, least, most)
	}
	update(t, recovered, func(tx *db.Tx) error {
		n, err := addWhole(tx)
		if n != last+1 {
			t.Errorf("update %d follows update %d", n, last)
		}
		return err
	})
	if n := lastWhole(t, recovered); n != last+1 {
		t.Errorf("after another update the last one is %d, want %d", n, last+1)
	}
	if err := recovered.Close(); err != nil {
		t.Error(err)
	}
	d.wantSound(t)
	if err := os.Remove(d.path); err != nil {
		t.Error(err)
	}
}

// wantSound runs SQLite's integrity check on the closed database.
func (d disk) wantSound(t *testing.T) {
	t.Helper()
	conn, err := sql.Open("sqlite", "file:"+d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var result string
	if err := conn.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&result); err != nil || result != "ok" {
		t.Errorf("integrity check: %s, error %v", result, err)
	}
}
