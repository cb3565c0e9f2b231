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

// noticeTime is more than the writer needs to find out by itself.
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

// waysToTake are ways in which a database is taken away from a server, and how it
// is brought back if it can be.
var waysToTake = []struct {
	name string
	take func(t *testing.T, path string)
	back func(t *testing.T, path string)
	// late says that only the idle look finds it, not a commit.
	late bool
}{
	{name: "deleted", take: remove},
	{name: "another file over it", take: func(t *testing.T, path string) {
		rename(t, closed(t), path)
	}},
	{
		name: "moved",
		take: func(t *testing.T, path string) { rename(t, path, path+".old") },
		back: func(t *testing.T, path string) { rename(t, path+".old", path) },
	},
	{
		name: "its folder moved",
		take: func(t *testing.T, path string) { rename(t, filepath.Dir(path), filepath.Dir(path)+".old") },
		back: func(t *testing.T, path string) { rename(t, filepath.Dir(path)+".old", filepath.Dir(path)) },
	},
	{
		name: "its log moved",
		take: func(t *testing.T, path string) { rename(t, path+"-wal", path+".old") },
		back: func(t *testing.T, path string) { rename(t, path+".old", path+"-wal") },
	},
	{
		name: "the index of its log moved", late: true,
		take: func(t *testing.T, path string) { rename(t, path+"-shm", path+".old") },
		back: func(t *testing.T, path string) { rename(t, path+".old", path+"-shm") },
	},
}

// fileNews is what WatchFile tells.
type fileNews struct {
	mu   sync.Mutex
	list []error
}

func watchFile(d *db.DB) *fileNews {
	n := &fileNews{}
	d.WatchFile(func(err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.list = append(n.list, err)
	})
	return n
}

// want fails unless what was told since the last call is an error for each true.
func (n *fileNews) want(t *testing.T, when string, failed ...bool) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	var got []bool
	for _, err := range n.list {
		got = append(got, err != nil)
	}
	wantEqual(t, when+", failures told", failed, got)
	n.list = nil
}

// While the path of a database does not lead to the open file, nothing is
// acknowledged and nothing is read.
func TestDatabaseTakenAway(t *testing.T) {
	for _, way := range waysToTake {
		for _, idle := range []bool{false, true} {
			if way.late && !idle {
				continue
			}
			t.Run(way.name+map[bool]string{true: " while nothing is written"}[idle], func(t *testing.T) {
				t.Parallel()
				folder := filepath.Join(t.TempDir(), "folder")
				if err := os.Mkdir(folder, 0o700); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(folder, "cohort.db")
				inBubble(t, "sqlite:"+path, func(t *testing.T, d *db.DB) {
					news := watchFile(d)
					news.want(t, "in the beginning")
					update(t, d, add("a", "before"))
					notified := watch(d)
					way.take(t, path)
					if idle {
						time.Sleep(noticeTime)
						news.want(t, "idle", true)
						notified.want(t, "anything")
					}
					for range 3 {
						wantKind(t, d.Update(t.Context(), add("a", "away")), cohort.KindUnavailable)
					}
					wantKind(t, d.View(t.Context(), func(*db.Tx) error { return nil }), cohort.KindUnavailable)
					wantKind(t, d.Ping(t.Context()), cohort.KindUnavailable)
					if !idle {
						news.want(t, "after writes", true)
						notified.want(t, "anything")
					}
					if way.back == nil {
						return
					}
					way.back(t, path)
					update(t, d, add("a", "after"))
					news.want(t, "when it is back", false)
					notified.want(t, "anything", "+a/2 after")
					wantEqual(t, "the groups", 2, len(listGroups(t, d, "a", everything, onePage)))
					if err := d.Ping(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// A change whose database is taken away before its commit is not carried out, and
// may be tried again. Behind the commit it is unknown what becomes of it.
func TestDatabaseTakenAwayAtTheCommit(t *testing.T) {
	for _, tt := range []struct {
		name, at string // the statement in front of which it happens
		commits  int
		message  string
	}{
		{"before", "RELEASE request", 0, ""},
		{"in the middle of it", "COMMIT", 1, "It is unknown whether the change was made. Please look before you try again."},
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
					t.Errorf("the error is %v", err)
				}
				wantEqual(t, "commits", tt.commits, commits)
				rename(t, path+".old", path)
				update(t, d, add("a", "kept"))
				wantEqual(t, "the groups", 1+tt.commits, len(listGroups(t, d, "a", everything, onePage)))
			})
		})
	}
}

// A server whose database was moved away ends, while another has made a new one
// in its place. The new one keeps its log, and the old one all that was in its own.
func TestCloseLeavesTheFilesOfAnother(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLiteURL(t)
	path := strings.TrimPrefix(url, "sqlite:")
	first, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	addStores(t, first, "first")
	old := filepath.Join(t.TempDir(), "old.db")
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

// A log that is deleted holds what was acknowledged and not yet moved. A server
// that is stopped moves it.
func TestDeletedLogIsNotLostAtTheEnd(t *testing.T) {
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
	wantEqual(t, "the groups", 1, len(listGroups(t, dbtest.Open(t, url), "a", everything, onePage)))
}
