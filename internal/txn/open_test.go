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
)

// wantOneLine fails unless err is what a person is to read on a terminal: one
// line that names the database and says what is wrong with it.
func wantOneLine(t testing.TB, err error, url, why string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s opens, want an error with %q", url, why)
	}
	wantKind(t, err, cohort.KindUnavailable)
	if text := err.Error(); strings.ContainsAny(text, "\r\n") || !strings.Contains(text, url) || !strings.Contains(text, why) {
		t.Errorf("got the text\n%s\nwant one line with %q and %q", text, url, why)
	}
}

// closed returns the path of a database that was made and closed.
func closed(t *testing.T) string {
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

// execSQL runs a statement on a file behind the package's back.
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

// writeFile makes a file with the content in a folder of its own.
func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cohort.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name string
		path func(t *testing.T) string
		why  string
	}{
		{"missing folder", func(t *testing.T) string { return filepath.Join(t.TempDir(), "none", "cohort.db") }, "does not exist"},
		{"file instead of its folder", func(t *testing.T) string { return filepath.Join(closed(t), "cohort.db") }, "not a directory"},
		{"folder instead of the file", func(t *testing.T) string { return t.TempDir() }, "it is a directory"},
		{"text", func(t *testing.T) string { return writeFile(t, bytes.Repeat([]byte("not a database\n"), 100)) }, "not a SQLite database"},
		{"short text", func(t *testing.T) string { return writeFile(t, []byte("x")) }, "not a SQLite database"},
		{"damaged header", func(t *testing.T) string {
			path := closed(t)
			return writeFile(t, damage(t, path, 0, 16))
		}, "not a SQLite database"},
		{"damaged page size", func(t *testing.T) string {
			path := closed(t)
			return writeFile(t, damage(t, path, 16, 18))
		}, "not a SQLite database"},
		{"damaged list of tables", func(t *testing.T) string {
			path := closed(t)
			return writeFile(t, damage(t, path, 100, 200))
		}, "the file is damaged"},
		{"cut off", func(t *testing.T) string {
			content := damage(t, closed(t), 0, 0)
			return writeFile(t, content[:len(content)/2])
		}, "the file is damaged"},
		{"newer schema", func(t *testing.T) string {
			path := closed(t)
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

// damage returns the content of a file with some bytes overwritten.
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

// Nodes that start together find the same empty database. Whoever is first
// makes the tables, and all of them work.
func TestOpenByManyAtOnce(t *testing.T) {
	const nodes, rounds = 12, 4
	for range rounds {
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
					t.Errorf("%d stores are there, want %d", len(stores), nodes)
				}
				return err
			})
		})
	}
}

// A node that comes while another is in the middle of making the database waits
// for it. SQLite does not wait there by itself, whatever its busy timeout is.
func TestOpenWaitsForTheNodeThatIsFirst(t *testing.T) {
	path := writeFile(t, nil)
	synctest.Test(t, func(t *testing.T) {
		// What the first node has while it turns the empty file into a database.
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
		synctest.Wait() // until it waits, or has given up
		if len(opened) > 0 {
			t.Error("the second node did not wait")
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-opened; err != nil {
			t.Error(err)
		}
	})
}

// What a server still does when it is told to stop must not fail, and Close
// must not return before it is done.
func TestCloseWaits(t *testing.T) {
	for _, name := range []string{"Update", "View"} {
		t.Run(name, func(t *testing.T) {
			eachBubble(t, func(t *testing.T, d *db.DB) {
				isClosed := make(chan error, 1)
				err := doorsOf(d)[name](t.Context(), func(tx *db.Tx) error {
					go func() { isClosed <- d.Close() }()
					synctest.Wait() // until Close waits, or is done
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
