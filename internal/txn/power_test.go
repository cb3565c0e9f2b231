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

// groupsAtATime is how many groups addWhole leaves; older ones it deletes.
const groupsAtATime = 10

// addWhole is one update of the power tests. It writes to several tables, so
// that half of it would show, and from its number follows what is in them.
func addWhole(tx *db.Tx) (n int64, err error) {
	if n, err = tx.NextGroupID("a"); err != nil {
		return n, err
	}
	if err := tx.ClearDefaultGroup("a", t0); err != nil {
		return n, err
	}
	if err := tx.InsertGroup("a", groupOf(n, n)); err != nil {
		return n, err
	}
	if err := tx.InsertCustomer("a", memberOf(n), ""); err != nil || n <= groupsAtATime {
		return n, err
	}
	if err := tx.DeleteCustomer("a", memberOf(n-groupsAtATime)); err != nil {
		return n, err
	}
	return n, tx.DeleteGroup("a", n-groupsAtATime)
}

// groupOf is group n when the last is another, or itself.
func groupOf(n, last int64) cohort.Group {
	g := newGroup(n, fmt.Sprint("group ", n))
	g.IsDefault = n == last
	return g
}

// memberOf is the one member of group n. Some take more than a page.
func memberOf(n int64) cohort.Customer {
	return cohort.Customer{
		ID: n, GroupID: n, Email: fmt.Sprint(n, "@example.com"), Notes: strings.Repeat("x", int(n%3)*3000),
		DateCreated: t0, DateModified: t0,
	}
}

// lastWhole returns the number of the last update that a database has. The test
// fails unless all of it is there, all of those before, and nothing else.
func lastWhole(t *testing.T, d *db.DB) (last int64) {
	t.Helper()
	var groups []cohort.Group
	var customers []cohort.Customer
	var counts map[int64]int64
	view(t, d, func(tx *db.Tx) (err error) {
		if groups, err = tx.ListGroups("a", everything, onePage); err != nil {
			return err
		}
		if customers, err = tx.ListCustomers("a", cohort.CustomerFilter{}, onePage); err != nil {
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
	for n := max(1, last-groupsAtATime+1); n <= last; n++ {
		wantGroups, wantCustomers = append(wantGroups, groupOf(n, last)), append(wantCustomers, memberOf(n))
		if counts[n] != 1 {
			t.Errorf("group %d counts %d members", n, counts[n])
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

// recording is a database at work, and what is on its disk.
type recording struct {
	*db.DB
	path string
	// This is open until the database is closed: to close it drops the locks
	// that this process has on the file.
	file *os.File

	base     []byte // the database file when the log began
	wal      []byte // the log, whole
	promises []promise
}

// promise is an update that was acknowledged when the log was so long.
type promise struct{ update, length int64 }

// newRecording makes a database with a store.
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

// record notes what fn does to an empty log. Meanwhile somebody reads the
// database as it was, so the log is not copied into it and does not begin anew.
func (r *recording) record(t *testing.T, fn func()) {
	t.Helper()
	r.promises = []promise{{update: lastWhole(t, r.DB)}}
	release := r.read(t)
	r.base = r.content(t)
	fn()
	if !slices.Equal(r.base, r.content(t)) {
		t.Error("the database file is written to while somebody reads it")
	}
	var err error
	if r.wal, err = os.ReadFile(r.path + "-wal"); err != nil {
		t.Error(err)
	}
	release()
}

// read reads the database until release is called.
func (r *recording) read(t *testing.T) (release func()) {
	t.Helper()
	reading, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- r.View(context.Background(), func(tx *db.Tx) error {
			_, err := tx.CountGroups("a", everything)
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

// content is what the database file holds.
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

// add adds one update, and notes how long the log is when it is acknowledged.
func (r *recording) add() (p promise, err error) {
	err = r.Update(context.Background(), func(tx *db.Tx) (err error) {
		p.update, err = addWhole(tx)
		return err
	})
	if err != nil {
		return p, err
	}
	info, err := os.Stat(r.path + "-wal")
	if err != nil {
		return p, err
	}
	p.length = info.Size()
	return p, nil
}

// alone adds updates one after another.
func (r *recording) alone(t *testing.T, n int) {
	for range n {
		p, err := r.add()
		if err != nil {
			t.Error(err)
			return
		}
		if before := r.promises[len(r.promises)-1]; p.length <= before.length {
			t.Errorf("the log has %d bytes after update %d, and had %d before", p.length, p.update, before.length)
		}
		r.promises = append(r.promises, p)
	}
}

// together adds updates that may share their commits.
func (r *recording) together(t *testing.T, callers, each int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				p, err := r.add()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				r.promises = append(r.promises, p)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// checkpoint copies the log into the database.
func checkpoint(t *testing.T, path, mode string) {
	t.Helper()
	conn, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// The database may be at it by itself, which SQLite does not wait for.
	for busy := 1; busy != 0; {
		var length, copied int
		if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &length, &copied); err != nil {
			t.Fatal(err)
		}
	}
}

// disks is a folder for the disks that the power tests make up.
type disks struct{ path string }

func newDisks(t *testing.T) disks { return disks{filepath.Join(t.TempDir(), "cohort.db")} }

// wantRecovered opens what a disk has after the power failed. All updates up to
// least have to be there, and none after most; the database has to be sound,
// and go on.
func (d disks) wantRecovered(t *testing.T, file, wal []byte, least, most int64) {
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
			t.Errorf("update %d follows on %d", n, last)
		}
		return err
	})
	if n := lastWhole(t, recovered); n != last+1 {
		t.Errorf("it goes on after update %d with %d", last, n)
	}
	if err := recovered.Close(); err != nil {
		t.Error(err)
	}
	d.wantSound(t)
	if err := os.Remove(d.path); err != nil {
		t.Error(err)
	}
}

// wantSound lets SQLite check the database that was closed.
func (d disks) wantSound(t *testing.T) {
	t.Helper()
	conn, err := sql.Open("sqlite", "file:"+d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var verdict string
	if err := conn.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, error %v", verdict, err)
	}
}
