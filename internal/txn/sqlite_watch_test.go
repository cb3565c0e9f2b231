package txn_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"
)

// noticeTime is longer than the interval at which an idle writer checks the files.
const noticeTime = time.Second

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// removals are ways to take the files of an open database away, and to bring them back if
// that is possible.
var removals = []struct {
	name string
	take func(t *testing.T, path string)
	back func(t *testing.T, path string)
	// late says that only the check of an idle writer notices it, not a commit.
	late bool
}{
	{name: "deleted", take: remove},
	{name: "replaced by another file", take: func(t *testing.T, path string) {
		rename(t, closedDatabase(t), path)
	}},
	{
		name: "moved",
		take: func(t *testing.T, path string) { rename(t, path, path+".old") },
		back: func(t *testing.T, path string) { rename(t, path+".old", path) },
	},
	{
		name: "folder moved",
		take: func(t *testing.T, path string) { rename(t, filepath.Dir(path), filepath.Dir(path)+".old") },
		back: func(t *testing.T, path string) { rename(t, filepath.Dir(path)+".old", filepath.Dir(path)) },
	},
	{
		name: "write-ahead log moved",
		take: func(t *testing.T, path string) { rename(t, path+"-wal", path+".old") },
		back: func(t *testing.T, path string) { rename(t, path+".old", path+"-wal") },
	},
	{
		name: "index of the log moved", late: true,
		take: func(t *testing.T, path string) { rename(t, path+"-shm", path+".old") },
		back: func(t *testing.T, path string) { rename(t, path+".old", path+"-shm") },
	},
}

// fileEvents records the calls of WatchFile's function.
type fileEvents struct {
	mu   sync.Mutex
	list []error
}

func watchFile(d *db.DB) *fileEvents {
	n := &fileEvents{}
	d.WatchFile(func(err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.list = append(n.list, err)
	})
	return n
}

// want fails unless the calls since the last want had an error for each true, and nil for
// each false.
func (n *fileEvents) want(t *testing.T, when string, failed ...bool) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	var got []bool
	for _, err := range n.list {
		got = append(got, err != nil)
	}
	wantEqual(t, when+", calls with an error", failed, got)
	n.list = nil
}

// While the path of the database does not lead to the open file, every update and view
// fails.
func TestDatabaseTakenAway(t *testing.T) {
	t.Parallel()
	for _, r := range removals {
		for _, idle := range []bool{false, true} {
			if r.late && !idle {
				continue
			}
			t.Run(r.name+map[bool]string{true: " while idle"}[idle], func(t *testing.T) {
				t.Parallel()
				folder := filepath.Join(t.TempDir(), "folder")
				if err := os.Mkdir(folder, 0o700); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(folder, "cohort.db")
				inBubble(t, "sqlite:"+path, func(t *testing.T, d *db.DB) {
					events := watchFile(d)
					events.want(t, "at the start")
					update(t, d, add("a", "before"))
					commits := watch(d)
					r.take(t, path)
					if idle {
						time.Sleep(noticeTime)
						events.want(t, "while idle", true)
						commits.want(t, "anything")
					}
					for range 3 {
						wantKind(t, d.Update(t.Context(), add("a", "away")), cohort.KindUnavailable)
					}
					wantKind(t, d.View(t.Context(), func(*db.Tx) error { return nil }), cohort.KindUnavailable)
					wantKind(t, d.Ping(t.Context()), cohort.KindUnavailable)
					if !idle {
						events.want(t, "after updates", true)
						commits.want(t, "anything")
					}
					if r.back == nil {
						return
					}
					r.back(t, path)
					update(t, d, add("a", "after"))
					events.want(t, "after it is back", false)
					commits.want(t, "anything", "+a/2 after")
					wantEqual(t, "the groups", 2, len(listGroups(t, d, "a", allGroups, onePage)))
					if err := d.Ping(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// If the database is taken away before the commit, the update fails and may be retried. If
// it is taken away during the commit, the outcome is unknown.
func TestDatabaseTakenAwayAtTheCommit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, at string // the statement before which the file is moved
		commits  int
		message  string
	}{
		{"before the commit", "RELEASE request", 0, ""},
		{"during the commit", "COMMIT", 1, "It is unknown whether the change was made. Please look before you try again."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.SQLiteURL(t)
			path := strings.TrimPrefix(url, "sqlite:")
			synctest.Test(t, func(t *testing.T) {
				at, commits := "", 0
				d := openWith(t, url, func(s txn.Statement) error {
					if at != "" && s.Query == at {
						at = ""
						rename(t, path, path+".old")
					}
					if s.Query == "COMMIT" {
						commits++
					}
					return s.Run()
				})
				addStores(t, d, "a")
				at, commits = tt.at, 0
				err := d.Update(t.Context(), add("a", "lost"))
				wantKind(t, err, cohort.KindUnavailable)
				if e, ok := err.(*cohort.Error); !ok || e.Message != tt.message { //nolint:errorlint // Update classifies
					t.Errorf("got error %v, want the message %q", err, tt.message)
				}
				wantEqual(t, "commits", tt.commits, commits)
				rename(t, path+".old", path)
				update(t, d, add("a", "kept"))
				wantEqual(t, "the groups", 1+tt.commits, len(listGroups(t, d, "a", allGroups, onePage)))
			})
		})
	}
}

// A database is moved, and another node creates a new one at the path. Closing the first
// one leaves the log of the new database alone, and loses nothing of the old one.
func TestCloseAfterMove(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	path := strings.TrimPrefix(url, "sqlite:")
	first, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	addStores(t, first, "first")
	old := path + ".old" // in the same file system
	for _, suffix := range []string{"", "-wal", "-shm"} {
		rename(t, path+suffix, old+suffix)
	}
	second := dbtest.Open(t, url)
	addStores(t, second, "second")
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if _, err := os.Stat(path + suffix); err != nil {
			t.Error(err)
		}
	}
	addStores(t, second, "third")
	for _, d := range []struct {
		db   *db.DB
		want []string
	}{{second, []string{"second", "third"}}, {dbtest.Open(t, "sqlite:"+old), []string{"first"}}} {
		view(t, d.db, func(tx *db.Tx) error {
			stores, err := tx.ListStores()
			var got []string
			for _, s := range stores {
				got = append(got, s.Hash)
			}
			wantEqual(t, "the stores", d.want, got)
			return err
		})
	}
}

// A deleted log that is still open has acknowledged changes. Close moves them into the
// database file.
func TestCloseAfterLogIsDeleted(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	addStores(t, d, "a")
	update(t, d, add("a", "acknowledged"))
	remove(t, strings.TrimPrefix(url, "sqlite:")+"-wal")
	wantKind(t, d.Update(t.Context(), add("a", "refused")), cohort.KindUnavailable)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	wantEqual(t, "the groups", 1, len(listGroups(t, dbtest.Open(t, url), "a", allGroups, onePage)))
}
