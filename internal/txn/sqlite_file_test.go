package txn

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
)

// openSQLite opens an empty SQLite database and returns its path.
func openSQLite(t *testing.T) (d *DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "cohort.db")
	d, err := Open(t.Context(), "sqlite:"+path, Schema{Migrations: os.DirFS("../db/migrations")})
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

// The durability of a commit depends on these settings. A driver that does not know a
// parameter of the DSN may ignore it.
func TestSQLiteSettings(t *testing.T) {
	t.Parallel()
	tests := []struct{ method, pragma, want string }{
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
		err := map[string]func(context.Context, func(*Tx) error) error{"Update": d.Update, "View": d.View}[tt.method](t.Context(), func(tx *Tx) error {
			var got string
			err := tx.QueryRow("PRAGMA " + tt.pragma).Scan(&got)
			if got != tt.want {
				t.Errorf("%s: %s is %q, want %q", tt.method, tt.pragma, got, tt.want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %s: %v", tt.method, tt.pragma, err)
		}
	}
}

// While another connection has the write lock, tryWrite waits and then fails. The
// wait is on the fake clock.
func TestLockedDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, path := openSQLite(t)
		other, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=0&_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		err = d.Update(t.Context(), func(*Tx) error {
			begun := time.Now()
			err := tryWrite(t.Context(), other)
			if err == nil {
				t.Error("two connections have the write lock")
				return nil
			}
			if waited := time.Since(begun); waited < busyTimeout {
				t.Errorf("waited for %v, want %v", waited, busyTimeout)
			}
			if got := d.engine.trouble(err); got != "it is locked by another process" {
				t.Errorf("the message of %v is %q", err, got)
			}
			if kind := cohort.KindOf(d.engine.classify(err)); kind != cohort.KindUnavailable {
				t.Errorf("%v is of kind %v", err, kind)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
