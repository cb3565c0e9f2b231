package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

func TestBackupAndRestore(t *testing.T) {
	eachDB(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_customers", "--db", url)
		file := filepath.Join(t.TempDir(), "backup.db")
		r := mustRun(t, "backup", file, "--db", url)
		if want := file + " has 1 store with 4 rows ("; !strings.HasPrefix(r.out, want) || !strings.HasSuffix(r.out, " KiB), and is checked.\n") {
			t.Errorf("output %q, want %q…", r.out, want)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("other users can read the backup: %v, %v", info.Mode(), err)
		}
		wantFailure(t, run(t, "backup", file, "--db", url), 1, file+" exists already; nothing is replaced, so move it away or give another path")

		restored := newDB(t)
		r = mustRun(t, "restore", file, "--db", restored)
		if want := "The database has 1 store with 4 rows again. Start the server.\n"; r.out != want {
			t.Errorf("output %q, want %q", r.out, want)
		}
		want := mustRun(t, "token", "list", "--db", url)
		if got := mustRun(t, "token", "list", "--db", restored); got != want {
			t.Errorf("tokens:\n%s\nwant:\n%s", got.out, want.out)
		}
		path := strings.TrimPrefix(restored, "sqlite:")
		wantFailure(t, run(t, "restore", file, "--db", restored), 1, path+" exists already; nothing is replaced, so move it away or give another path")
	})
}

func TestCheck(t *testing.T) {
	eachDB(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		if r := mustRun(t, "check", "--db", url); r.out != "1 store checked.\n" {
			t.Errorf("output %q", r.out)
		}
		d, err := db.OpenExisting(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		dbtest.AddGroups(t, d, "abc", dbtest.NewGroup(5, "by hand"))
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		table := "STORE  KIND     FLAW\nabc    counter  the last id of table customer_groups is 5, and the counter of new ones is at 0\n"
		r := run(t, "check", "--db", url)
		want := result{status: 1, out: table + "1 store checked.\n", err: "cohort: The database has 1 flaw; cohort check --fix repairs what it finds.\n"}
		if r != want {
			t.Errorf("got %+v, want %+v", r, want)
		}
		r = mustRun(t, "check", "--fix", "--db", url)
		if want := table + "1 store checked. Repaired: 1 flaw.\n"; r.out != want {
			t.Errorf("output %q, want %q", r.out, want)
		}
		if r := mustRun(t, "check", "--json", "--db", url); r.out != "[]\n" {
			t.Errorf("output %q", r.out)
		}
	})
}

// TestCheckOfADamagedFile checks that damage is told, and that nothing is repaired in it.
func TestCheckOfADamagedFile(t *testing.T) {
	t.Parallel()
	url := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", url)
	var size, page int
	d := dbtest.Open(t, url)
	err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT page_size, rootpage FROM pragma_page_size, sqlite_schema WHERE name = 'recent_changes_by_txid'").Scan(&size, &page)
	})
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(url, "sqlite:")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The page belongs to an index of an empty table; its header becomes nonsense.
	copy(content[(page-1)*size:], "this is no page of a database")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, "check", "--fix", "--db", url)
	if r.status != 1 || !strings.Contains(r.out, "file") || !strings.Contains(r.err, "The file of the database is damaged") {
		t.Errorf("got %+v", r)
	}
}
