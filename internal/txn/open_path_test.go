package txn_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

func TestOpenRefusesURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "sqlite:", "cohort.db", "SQLITE:cohort.db", "mysql://localhost/cohort", "file:cohort.db"} {
		d, err := db.Open(t.Context(), url)
		if cohort.KindOf(err) != cohort.KindInvalid || err == nil {
			t.Errorf("%q: got %v, error %v", url, d, err)
		}
	}
}

// The database of ":memory:" is gone when the server ends, and each connection
// has another one. Refusing the name and making a file of it are both right.
func TestOpenIsNeverInMemory(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{":memory:", "file::memory:", "?mode=memory", "x?mode=memory&cache=shared"} {
		d, err := db.Open(t.Context(), "sqlite:"+name)
		if err != nil {
			continue
		}
		if err := d.Ping(t.Context()); err != nil {
			t.Errorf("%q opens, and then: %v", name, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(name); err != nil {
			t.Errorf("%q opens, and nothing is on disk: %v", name, err)
		}
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"plain.db", "no extension", "with spaces .db", "question?mark=1&_txlock=deferred", "hash#tag", "percent%41", "percent%", "%2e%2e%2fup",
		"amper&sand", "plus+", "semi;colon", "colon:colon", "quote'", `double"quote`, `back\slash`, "ünïcödé", "emoji🛒", "-dash", "[b]{r}", "line\nend", "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "folder of "+name)
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Skipf("this system has no such file names: %v", err)
			}
			url := "sqlite:" + filepath.Join(folder, name)
			d, err := db.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			addStores(t, d, "a")
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if got := fileNames(t, folder); !slices.Equal(got, []string{name}) {
				t.Errorf("the folder has the files %q, want only %q", got, name)
			}
			if d, err = db.OpenExisting(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			wantStores(t, d, cohort.Store{Hash: "a", Plan: cohort.PlanUnlimited, DateCreated: t0})
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func fileNames(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Two slashes in front are one for the file system, and must not be read as a
// URL's host.
func TestOpenTakesSlashesInFront(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cohort.db")
	for _, slashes := range []string{"", "/", "//", "///"} {
		d, err := db.Open(t.Context(), "sqlite:"+slashes+path)
		if err != nil {
			t.Errorf("%d slashes: %v", len(slashes)+1, err)
			continue
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
