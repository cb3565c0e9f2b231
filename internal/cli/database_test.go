package cli_test

import (
	"database/sql" //nolint:depguard // a schema that is newer than the binary can be made by SQL alone
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
)

// commandLines holds a command line of each command with a database.
var commandLines = map[string][]string{
	"serve":                {"serve", "--addr", "127.0.0.1:0"},
	"serve --dev":          {"serve", "--addr", "127.0.0.1:0", "--dev"},
	"store create":         {"store", "create", "abc"},
	"store list":           {"store", "list"},
	"store update":         {"store", "update", "abc", "--plan", "pro"},
	"store delete":         {"store", "delete", "abc", "--yes"},
	"price":                {"price", "--store", "abc", "--product", "1"},
	"token create":         {"token", "create", "--store", "abc", "--scope", "store_v2_customers"},
	"token list":           {"token", "list"},
	"token revoke":         {"token", "revoke", "0123456789abcdef"},
	"console token create": {"console", "token", "create", "--name", "Ann"},
	"console token list":   {"console", "token", "list"},
	"console token revoke": {"console", "token", "revoke", "0123456789abcdef"},
	"backup":               {"backup", "backup.db"},
	"check":                {"check"},
	"jobs list":            {"jobs", "list"},
	"jobs retry":           {"jobs", "retry", "--store", "abc", "--all"},
	"jobs drop":            {"jobs", "drop", "--store", "abc", "--all", "--yes"},
}

// creates reports whether a command creates a missing database.
func creates(command string) bool {
	return strings.HasPrefix(command, "serve") || command == "store create"
}

// A mistyped path must not become an empty database.
func TestDatabaseIsMissing(t *testing.T) {
	t.Parallel()
	for command, args := range commandLines {
		if creates(command) {
			continue
		}
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			url := "sqlite:" + filepath.Join(dir, "cohort.db")
			wantFailure(t, run(t, append(args, "--db", url)...), 1,
				"cannot open the database "+url+": there is no such file; `cohort serve` or `cohort store create` makes one")
			if files, _ := os.ReadDir(dir); len(files) != 0 {
				t.Errorf("the command created %v", files)
			}
		})
	}
}

func TestFolderOfDatabaseIsMissing(t *testing.T) {
	t.Parallel()
	for command, args := range commandLines {
		if !creates(command) {
			continue
		}
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			folder := filepath.Join(dir, "none")
			url := "sqlite:" + filepath.Join(folder, "cohort.db")
			wantFailure(t, run(t, append(args, "--db", url)...), 1,
				"cannot open the database "+url+": its folder "+folder+" does not exist")
			if files, _ := os.ReadDir(dir); len(files) != 0 {
				t.Errorf("the command created %v", files)
			}
		})
	}
}

func TestFileIsNotADatabase(t *testing.T) {
	t.Parallel()
	const content = "Dear diary, this is not a database, and nobody may write into it.\n"
	for command, args := range commandLines {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "diary.txt")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			url := "sqlite:" + path
			wantFailure(t, run(t, append(args, "--db", url)...), 1,
				"cannot open the database "+url+": the file is not a SQLite database")
			if after, err := os.ReadFile(path); err != nil || string(after) != content {
				t.Errorf("the file is now %q, %v", after, err)
			}
		})
	}
}

// An older binary must not change a database of a newer one, because it does not know what
// the columns mean.
func TestSchemaIsNewer(t *testing.T) {
	eachDB(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		newerSchema(t, url)
		for command, args := range commandLines {
			t.Run(command, func(t *testing.T) {
				wantFailure(t, run(t, append(args, "--db", url)...), 1,
					"cannot open the database "+db.Redact(url)+": its schema is newer than this version of cohort; use the version that made it, or a newer one")
			})
		}
	})
}

func newerSchema(t *testing.T, url string) {
	t.Helper()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite", path
	}
	d, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)"); err != nil {
		t.Fatal(err)
	}
}

// A PostgreSQL database must exist. Commands create only the tables.
func TestTablesAreMissing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	for command, args := range commandLines {
		if creates(command) {
			continue
		}
		// The command before must not have created the tables.
		wantFailure(t, run(t, append(args, "--db", url)...), 1, "cannot open the database "+db.Redact(url)+
			": there is nothing of cohort's in it; `cohort serve` or `cohort store create` makes the tables")
	}
}

func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"cohort.db", "sqlite:", "mysql://localhost/cohort"} {
		wantFailure(t, run(t, "store", "list", "--db", url), 1,
			`"`+url+`" is not a database URL; write sqlite:PATH, such as sqlite:cohort.db, or postgres://USER:PASSWORD@HOST/DATABASE`)
	}
	dir := t.TempDir()
	wantFailure(t, run(t, "store", "list", "--db", "sqlite:"+dir), 1,
		"cannot open the database sqlite:"+dir+": it is a directory, not a file")
}

// Characters that have a meaning in the driver's URLs must not lead to another file or
// set options.
func TestDatabasePathIsLiteral(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "50% off?mode=memory#ü.db")
	mustRun(t, "store", "create", "abc", "--db", "sqlite:"+path)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("the command created %v, want one file", files)
	}
	if r := mustRun(t, "store", "list", "--db", "sqlite:"+path); !strings.Contains(r.out, "abc") {
		t.Errorf("the list does not have the store:\n%s", r.out)
	}
}
