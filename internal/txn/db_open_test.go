package txn_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// wantOneLine fails unless err is a message for a terminal: one line that names the
// database and contains why.
func wantOneLine(t testing.TB, err error, url, why string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: got no error, want one with %q", url, why)
	}
	wantKind(t, err, cohort.KindUnavailable)
	if text := err.Error(); strings.ContainsAny(text, "\r\n") || !strings.Contains(text, url) || !strings.Contains(text, why) {
		t.Errorf("got the message\n%s\nwant one line with %q and %q", text, url, why)
	}
}

// closedDatabase creates a database, closes it, and returns its path.
func closedDatabase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cohort.db")
	d, err := db.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// execSQL runs a statement on a SQLite file directly.
func execSQL(t *testing.T, path, statement string) {
	t.Helper()
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.Exec(statement)
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
}

// writeFile writes a file in a new folder and returns its path.
func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cohort.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		path func(t *testing.T) string
		why  string
	}{
		{"missing folder", func(t *testing.T) string { return filepath.Join(t.TempDir(), "none", "cohort.db") }, "does not exist"},
		{"file in place of the folder", func(t *testing.T) string { return filepath.Join(closedDatabase(t), "cohort.db") }, "not a directory"},
		{"folder in place of the file", func(t *testing.T) string { return t.TempDir() }, "it is a directory"},
		{"text", func(t *testing.T) string { return writeFile(t, bytes.Repeat([]byte("not a database\n"), 100)) }, "not a SQLite database"},
		{"short text", func(t *testing.T) string { return writeFile(t, []byte("x")) }, "not a SQLite database"},
		{"damaged header", func(t *testing.T) string {
			path := closedDatabase(t)
			return writeFile(t, damage(t, path, 0, 16))
		}, "not a SQLite database"},
		{"damaged page size", func(t *testing.T) string {
			path := closedDatabase(t)
			return writeFile(t, damage(t, path, 16, 18))
		}, "not a SQLite database"},
		{"damaged schema table", func(t *testing.T) string {
			path := closedDatabase(t)
			return writeFile(t, damage(t, path, 100, 200))
		}, "the file is damaged"},
		{"truncated", func(t *testing.T) string {
			content := damage(t, closedDatabase(t), 0, 0)
			return writeFile(t, content[:len(content)/2])
		}, "the file is damaged"},
		{"newer schema", func(t *testing.T) string {
			path := closedDatabase(t)
			execSQL(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999999999, TRUE)")
			return path
		}, "its schema is newer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := "sqlite:" + tt.path(t)
			_, err := db.Open(t.Context(), url)
			wantOneLine(t, err, url, tt.why)
			_, err = db.OpenExisting(t.Context(), url)
			wantKind(t, err, cohort.KindUnavailable)
		})
	}
}

// damage returns the content of a file with a range of bytes overwritten.
func damage(t *testing.T, path string, from, until int) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(content[from:until], bytes.Repeat([]byte{0x5a}, until-from))
	return content
}

func TestOpenExistingCreatesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"cohort.db", "none/cohort.db"} {
		url := "sqlite:" + filepath.Join(folder, name)
		_, err := db.OpenExisting(t.Context(), url)
		wantOneLine(t, err, url, "there is no such file")
	}
	if got := fileNames(t, folder); len(got) != 0 {
		t.Errorf("the folder has the files %q", got)
	}
}

// Of nodes that open the same empty database together, the first creates the tables, and
// all of them work.
func TestConcurrentOpen(t *testing.T) {
	t.Parallel()
	nodes := testenv.Times(12, 6)
	for range testenv.Times(4, 1) {
		dbtest.EachEmptyURL(t, func(t *testing.T, url string) {
			var wg sync.WaitGroup
			begin := make(chan struct{})
			for node := range nodes {
				wg.Go(func() {
					<-begin
					d, err := db.Open(t.Context(), url)
					if err != nil {
						t.Errorf("node %d: %v", node, err)
						return
					}
					hash := string(rune('a' + node))
					if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertStore(cohort.Store{Hash: hash}) }); err != nil {
						t.Errorf("node %d: %v", node, err)
					}
					if err := d.Close(); err != nil {
						t.Errorf("node %d: %v", node, err)
					}
				})
			}
			close(begin)
			wg.Wait()
			view(t, dbtest.Open(t, url), func(tx *db.Tx) error {
				stores, err := tx.ListStores()
				if len(stores) != nodes {
					t.Errorf("got %d stores, want %d", len(stores), nodes)
				}
				return err
			})
		})
	}
}

// While one node creates the database, another one waits in Open. SQLite itself does not
// wait there, regardless of the busy timeout.
func TestOpenWaitsForCreation(t *testing.T) {
	t.Parallel()
	path := writeFile(t, nil)
	synctest.Test(t, func(t *testing.T) {
		// The lock that the first node holds while it creates the database.
		first, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		tx, err := first.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		opened := make(chan error, 1)
		go func() {
			d, err := db.Open(t.Context(), "sqlite:"+path)
			if err == nil {
				err = d.Close()
			}
			opened <- err
		}()
		synctest.Wait() // until Open waits or has returned
		if len(opened) > 0 {
			t.Error("Open did not wait")
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-opened; err != nil {
			t.Error(err)
		}
	})
}

// Close waits for running transactions, and they succeed.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Update", "View"} {
		t.Run(name, func(t *testing.T) {
			eachBubble(t, func(t *testing.T, d *db.DB) {
				isClosed := make(chan error, 1)
				err := txFuncs(d)[name](t.Context(), func(tx *db.Tx) error {
					go func() { isClosed <- d.Close() }()
					synctest.Wait() // until Close waits or has returned
					if len(isClosed) > 0 {
						t.Error("Close returned during a transaction")
					}
					_, err := tx.ListStores()
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if err := <-isClosed; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
