package db_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

func noProgress(int64, int64) {}

// writeBackup writes a backup of a database into a new folder.
func writeBackup(t *testing.T, d *db.DB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.db")
	if _, err := db.WriteBackup(t.Context(), d, path, noProgress); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantFiles checks the names of the files of a folder.
func wantFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestBackupAndRestore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, from *db.DB) {
		fillInstallation(t, from)
		path := filepath.Join(t.TempDir(), "backup.db")
		b, err := db.WriteBackup(t.Context(), from, path, noProgress)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if b.Stores != 2 || b.Rows == 0 || b.Bytes != info.Size() {
			t.Errorf("%+v of a file of %d bytes", b, info.Size())
		}
		wantFiles(t, filepath.Dir(path), "backup.db")
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		restored := "sqlite:" + filepath.Join(t.TempDir(), "restored.db")
		if _, err := db.Restore(t.Context(), path, restored, noProgress); err != nil {
			t.Fatal(err)
		}
		d, err := db.OpenExisting(t.Context(), restored)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if diff := cmp.Diff(dump(t, from), dump(t, d)); diff != "" {
			t.Errorf("the restored database (-want +got):\n%s", diff)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the restore changed the backup: %v", err)
		}
	})
}

func TestRestoreToPostgreSQL(t *testing.T) {
	t.Parallel()
	from, err := db.Open(t.Context(), dbtest.SQLiteURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	fillInstallation(t, from)
	path, url := writeBackup(t, from), pgtest.URL(t)
	if _, err := db.Restore(t.Context(), path, url, noProgress); err != nil {
		t.Fatal(err)
	}
	_, err = db.Restore(t.Context(), path, url, noProgress)
	wantKind(t, err, cohort.KindConflict)
	d, err := db.OpenExisting(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if diff := cmp.Diff(dump(t, from), dump(t, d)); diff != "" {
		t.Errorf("the restored database (-want +got):\n%s", diff)
	}
}

func TestBackupReplacesNothing(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		path := writeBackup(t, d)
		_, err := db.WriteBackup(t.Context(), d, path, noProgress)
		wantKind(t, err, cohort.KindConflict)
		other := filepath.Join(filepath.Dir(path), "other.db")
		if err := os.WriteFile(other+".part", []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = db.WriteBackup(t.Context(), d, other, noProgress)
		wantKind(t, err, cohort.KindConflict)
		wantFiles(t, filepath.Dir(path), "backup.db", "other.db.part")
	})
}

func TestBackupCancelled(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		fillInstallation(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		path := filepath.Join(t.TempDir(), "backup.db")
		_, err := db.WriteBackup(ctx, d, path, func(int64, int64) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		wantFiles(t, filepath.Dir(path))
	})
}

// TestRestoreRejects checks what is not a backup. Nothing may be left behind.
func TestRestoreRejects(t *testing.T) {
	t.Parallel()
	d, err := db.Open(t.Context(), dbtest.SQLiteURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	fillInstallation(t, d)
	good, err := os.ReadFile(writeBackup(t, d))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(good)
	for i := len(damaged) / 2; i < len(damaged); i++ {
		damaged[i] ^= 0x5a
	}
	for name, content := range map[string][]byte{
		"text":    bytes.Repeat([]byte("no database\n"), 1000),
		"empty":   nil,
		"cut":     good[:len(good)/2],
		"damaged": damaged,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name+".db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			if _, err := db.Restore(t.Context(), path, "sqlite:"+filepath.Join(folder, "new.db"), noProgress); err == nil {
				t.Error("it is restored")
			}
			wantFiles(t, folder)
		})
	}
	t.Run("in use", func(t *testing.T) {
		url := dbtest.SQLiteURL(t)
		live, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer live.Close()
		addStores(t, live, "a")
		_, err = db.Restore(t.Context(), url[len("sqlite:"):], dbtest.SQLiteURL(t), noProgress)
		wantKind(t, err, cohort.KindInvalid)
	})
	t.Run("missing", func(t *testing.T) {
		_, err := db.Restore(t.Context(), filepath.Join(t.TempDir(), "none.db"), dbtest.SQLiteURL(t), noProgress)
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
}
