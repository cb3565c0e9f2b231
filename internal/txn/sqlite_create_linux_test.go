package txn_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// openUmask sets the umask to 0 for the test, so that only the mode that is passed to open
// restricts new files.
func openUmask(t *testing.T) {
	t.Helper()
	old := syscall.Umask(0)
	t.Cleanup(func() { syscall.Umask(old) })
}

// modes returns the modes of a database's files by their suffixes.
func modes(t *testing.T, path string) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		found[suffix] = info.Mode().Perm()
	}
	return found
}

var private = map[string]fs.FileMode{"": 0o600, "-wal": 0o600, "-shm": 0o600}

// A database has password hashes, so only its owner may read a new one. The umask belongs
// to the process, so this test must not run in parallel with others.
func TestNewDatabaseIsPrivate(t *testing.T) {
	openUmask(t)
	for name, link := range map[string]string{"a plain path": "", "a link to a missing file": "to", "a link into another folder": "folder/to"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path, file := filepath.Join(folder, "cohort.db"), filepath.Join(folder, "cohort.db")
			if link != "" {
				file = filepath.Join(folder, link)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(link, path); err != nil {
					t.Fatal(err)
				}
			}
			d := dbtest.Open(t, "sqlite:"+path)
			addStores(t, d, "a")
			wantEqual(t, "the modes", private, modes(t, file))
			if files := d.OpenToOthers(); len(files) > 0 {
				t.Errorf("OpenToOthers returns %v", files)
			}
		})
	}
}

func TestCopyIsPrivate(t *testing.T) {
	openUmask(t)
	from, path := dbtest.SQLite(t), filepath.Join(t.TempDir(), "copy.db")
	addStores(t, from, "a")
	to := dbtest.Open(t, "sqlite:"+path)
	if _, err := db.Copy(t.Context(), from, to, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "the modes", private, modes(t, path))
}

// The mode of an existing database is not changed, and OpenToOthers reports it.
func TestWiderModeIsKept(t *testing.T) {
	openUmask(t)
	path := closedDatabase(t)
	chmod(t, path, 0o640)
	d := dbtest.Open(t, "sqlite:"+path)
	addStores(t, d, "a")
	wide := map[string]fs.FileMode{"": 0o640, "-wal": 0o640, "-shm": 0o640}
	wantEqual(t, "the modes", wide, modes(t, path))
	reported := map[string]fs.FileMode{}
	for _, f := range d.OpenToOthers() {
		reported[strings.TrimPrefix(f.Path, path)] = f.Mode
	}
	wantEqual(t, "OpenToOthers", wide, reported)
}

// Several nodes create one file at the same time. The file is private, and no node loses
// its locks because another one closes the file that it created.
func TestConcurrentCreate(t *testing.T) {
	openUmask(t)
	nodes, each := testenv.Times(8, 4), testenv.Times(20, 10)
	url := dbtest.SQLiteURL(t)
	var wg sync.WaitGroup
	for node := range nodes {
		wg.Go(func() {
			d, err := db.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			for i := range each {
				store := cohort.Store{Hash: string(rune('a'+node)) + string(rune('a'+i))}
				if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertStore(store) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	d := dbtest.Open(t, url)
	view(t, d, func(tx *db.Tx) error {
		stores, err := tx.ListStores()
		if len(stores) != nodes*each {
			t.Errorf("got %d stores, want %d", len(stores), nodes*each)
		}
		return err
	})
	wantEqual(t, "the modes", private, modes(t, strings.TrimPrefix(url, "sqlite:")))
}
