package txn

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"cohort.example/cohort"
)

// openSQLite opens an empty SQLite database and returns its path.
func openSQLite(t *testing.T) (d *DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "cohort.db")
	d, err := Open(t.Context(), "sqlite:"+path, os.DirFS("../db/migrations"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, path
}

// What a commit promises hangs on these settings, and a driver that does not
// know a parameter of the URL may ignore it.
func TestSQLiteSettings(t *testing.T) {
	tests := []struct{ door, pragma, want string }{
		{"Update", "journal_mode", "wal"},
		{"Update", "synchronous", "2"}, // FULL
		{"Update", "foreign_keys", "1"},
		{"Update", "busy_timeout", "5000"},
		{"Update", "query_only", "0"},
		{"View", "journal_mode", "wal"},
		{"View", "busy_timeout", "5000"},
		{"View", "query_only", "1"},
	}
	d, _ := openSQLite(t)
	for _, tt := range tests {
		err := map[string]func(context.Context, func(*Tx) error) error{"Update": d.Update, "View": d.View}[tt.door](t.Context(), func(tx *Tx) error {
			var got string
			err := tx.QueryRow("PRAGMA " + tt.pragma).Scan(&got)
			if got != tt.want {
				t.Errorf("%s: %s is %q, want %q", tt.door, tt.pragma, got, tt.want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %s: %v", tt.door, tt.pragma, err)
		}
	}
}

// The wait for a lock is too long for a test, so the meaning of the error is
// tested on a connection that does not wait.
func TestLockIsNamed(t *testing.T) {
	d, path := openSQLite(t)
	other, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=0&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = d.Update(t.Context(), func(*Tx) error {
		err := tryWrite(t.Context(), other)
		if err == nil {
			t.Error("two connections write at the same time")
			return nil
		}
		if got := d.engine.trouble(err); got != "it is locked by another process" {
			t.Errorf("%v means %q", err, got)
		}
		if kind := cohort.KindOf(d.engine.classify(err)); kind != cohort.KindUnavailable {
			t.Errorf("%v is of kind %v", err, kind)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
