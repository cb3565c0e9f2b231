package txn_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

func TestOpenInvalidURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "sqlite:", "cohort.db", "SQLITE:cohort.db", "mysql://localhost/cohort", "file:cohort.db"} {
		d, err := db.Open(t.Context(), url)
		if cohort.KindOf(err) != cohort.KindInvalid || err == nil {
			t.Errorf("%q: got %v, error %v", url, d, err)
		}
	}
}

// A database in memory would be lost with the process, and each connection would have its
// own. Open may reject such a name or create a file of that name.
func TestOpenIsNeverInMemory(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{":memory:", "file::memory:", "?mode=memory", "x?mode=memory&cache=shared"} {
		d, err := db.Open(t.Context(), "sqlite:"+name)
		if err != nil {
			continue
		}
		if err := d.Ping(t.Context()); err != nil {
			t.Errorf("%q: Open succeeds, then Ping: %v", name, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(name); err != nil {
			t.Errorf("%q: Open succeeds without a file: %v", name, err)
		}
	}
}

func TestOpenAnyPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"plain.db", "no extension", "with spaces .db", "question?mark=1&_txlock=deferred", "hash#tag", "percent%41", "percent%", "%2e%2e%2fup",
		"amper&sand", "plus+", "semi;colon", "colon:colon", "quote'", `double"quote`, `back\slash`, "ünïcödé", "emoji🛒", "-dash", "[b]{r}", "line\nend", "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "folder of "+name)
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Skipf("this system does not allow the name: %v", err)
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

// For the file system several leading slashes are the same as one. They must not start
// the host of a URL.
func TestOpenLeadingSlashes(t *testing.T) {
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
