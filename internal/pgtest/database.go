package pgtest

import (
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"testing"
)

// spares are databases of tests that have ended, emptied. To empty one takes a
// small part of the time in which a server makes one.
var spares struct {
	sync.Mutex
	names []string
}

// URL returns the URL of an empty database, which is gone when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	admin := sharedServer(t)
	name := "cohort_test_" + strings.ToLower(rand.Text())
	if err := takeDatabase(admin, name); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := giveBack(t, admin, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(t, admin, name)
}

// takeDatabase makes a database of that name. A spare one gets the name as a
// new one would, so that whoever still knows the test before finds nothing.
func takeDatabase(admin, name string) error {
	if spare := takeSpare(); spare != "" {
		if execute(admin, "ALTER DATABASE "+spare+" RENAME TO "+name) == nil {
			return nil
		}
		// Somebody whose test has ended still uses it.
		if err := drop(admin, spare); err != nil {
			return err
		}
	}
	return execute(admin, "CREATE DATABASE "+name+" TEMPLATE template0")
}

func takeSpare() string {
	spares.Lock()
	defer spares.Unlock()
	if len(spares.names) == 0 {
		return ""
	}
	first := spares.names[0] // whose connections have had most time to end
	spares.names = spares.names[1:]
	return first
}

// giveBack empties the database for the next test. On a server that is not ours
// nothing may stay behind, so there it is dropped.
func giveBack(t testing.TB, admin, name string) error {
	t.Helper()
	if os.Getenv(serverVariable) != "" || execute(withDatabase(t, admin, name), wipe) != nil {
		return drop(admin, name)
	}
	spares.Lock()
	defer spares.Unlock()
	spares.names = append(spares.names, name)
	return nil
}

func drop(admin, name string) error {
	return execute(admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// wipe ends the connections of others and drops whatever is in the database.
const wipe = `
SET lock_timeout = '20s';
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE datname = current_database() AND pid <> pg_backend_pid();
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
