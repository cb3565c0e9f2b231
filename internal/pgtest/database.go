package pgtest

import (
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"testing"
)

// spares are empty databases of tests that have ended. Emptying a database
// takes a small part of the time in which the server makes a new one.
var spares spareNames

// spareNames are names of databases that tests may take, oldest first: its
// connections have had the most time to end.
type spareNames struct {
	mu    sync.Mutex
	names []string
}

// take removes and returns a name, "" if there is none.
func (s *spareNames) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.names) == 0 {
		return ""
	}
	first := s.names[0]
	s.names = s.names[1:]
	return first
}

func (s *spareNames) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = append(s.names, name)
}

// URL returns the URL of an empty database, which is gone when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	admin := sharedServer(t)
	name := newName()
	if err := create(admin, name, &spares, "TEMPLATE template0"); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := giveBack(t, admin, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(t, admin, name)
}

func newName() string { return "cohort_test_" + strings.ToLower(rand.Text()) }

// create makes a database of that name: it renames a spare one, or else makes
// one with the options given. A client of an earlier test that still has the
// old name cannot connect.
func create(admin, name string, from *spareNames, options string) error {
	if spare := from.take(); spare != "" {
		if execute(admin, "ALTER DATABASE "+spare+" RENAME TO "+name) == nil {
			return nil
		}
		// A client of a test that has ended is still connected.
		if err := drop(admin, spare); err != nil {
			return err
		}
	}
	return execute(admin, "CREATE DATABASE "+name+" "+options)
}

// giveBack empties the database for the next test. A database on a server that
// does not belong to the run is dropped, so that nothing stays behind.
func giveBack(t testing.TB, admin, name string) error {
	t.Helper()
	if os.Getenv(serverVariable) != "" || execute(withDatabase(t, admin, name), wipe) != nil {
		return drop(admin, name)
	}
	spares.add(name)
	return nil
}

func drop(admin, name string) error {
	return execute(admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// terminateOthers ends the other connections to the database.
const terminateOthers = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE datname = current_database() AND pid <> pg_backend_pid()`

// wipe ends the other connections and drops everything in the database.
const wipe = `
SET lock_timeout = '20s';` + terminateOthers + `;
DO $$
DECLARE name text;
BEGIN
	FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
		EXECUTE format('DROP SCHEMA %I CASCADE', name);
	END LOOP;
	EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
	CREATE SCHEMA public;
	GRANT ALL ON SCHEMA public TO PUBLIC;
	PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
END $$`
