package db_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"
)

// placeOf has the place of each table.
var placeOf = func() map[string]txn.Place {
	all := map[string]txn.Place{}
	for _, p := range db.Schema().Places {
		all[p.Table] = p.Place
	}
	return all
}()

// TestPlaces fails if a migration adds a table without a place, or something that Citus
// cannot distribute.
func TestPlaces(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.MigratedPostgresURL(t))
	view(t, d, func(tx *db.Tx) error {
		tables := texts(t, tx, "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace ORDER BY 1")
		for _, table := range tables {
			if placeOf[table] == 0 {
				t.Errorf("table %s has no place: add it to places in place.go", table)
			}
		}
		for table := range placeOf {
			if !slices.Contains(tables, table) {
				t.Errorf("there is no table %s", table)
			}
		}
		for _, key := range rowsOf(t, tx, uniqueIndexes, 3) {
			if placeOf[key[0]] == txn.ByStore && key[2] != "t" {
				t.Errorf("the unique index %s of %s is not on store_hash: Citus cannot keep it", key[1], key[0])
			}
		}
		for _, key := range rowsOf(t, tx, foreignKeys, 5) {
			from, to := placeOf[key[0]], placeOf[key[1]]
			switch {
			case to == txn.ByStore && (from != txn.ByStore || key[3] != "t"):
				t.Errorf("the foreign key %s of %s refers to %s, but not by store_hash: Citus cannot keep it", key[2], key[0], key[1])
			case from == txn.ByStore && (key[4] == "n" || key[4] == "d"):
				t.Errorf("the foreign key %s of %s sets store_hash to something else: Citus cannot keep it", key[2], key[0])
			}
		}
		return nil
	})
}

// uniqueIndexes are tables, their unique indexes, and whether store_hash is a column of the
// index.
const uniqueIndexes = `SELECT t.relname::text, x.relname::text, (EXISTS (SELECT 1 FROM pg_attribute AS a
	WHERE a.attrelid = i.indrelid AND a.attname = 'store_hash' AND a.attnum = ANY(i.indkey)))::text
	FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_class AS x ON x.oid = i.indexrelid
	WHERE i.indisunique AND t.relnamespace = current_schema()::regnamespace`

// foreignKeys are a table, the one that it refers to, the name, whether both have
// store_hash at the same place of the key, and what a deletion does.
const foreignKeys = `SELECT own.relname::text, other.relname::text, f.conname::text, (EXISTS (SELECT 1
	FROM unnest(f.conkey, f.confkey) AS k (mine, theirs)
	JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.mine AND a.attname = 'store_hash'
	JOIN pg_attribute AS b ON b.attrelid = f.confrelid AND b.attnum = k.theirs AND b.attname = 'store_hash'))::text, f.confdeltype::text
	FROM pg_constraint AS f JOIN pg_class AS own ON own.oid = f.conrelid JOIN pg_class AS other ON other.oid = f.confrelid
	WHERE f.contype = 'f' AND own.relnamespace = current_schema()::regnamespace`

func texts(t *testing.T, tx *db.Tx, query string) (all []string) {
	t.Helper()
	for _, row := range rowsOf(t, tx, query, 1) {
		all = append(all, row[0])
	}
	return all
}

// rowsOf returns the rows of a query for texts. A truth is "t" or "f".
func rowsOf(t *testing.T, tx *db.Tx, query string, columns int) [][]string {
	t.Helper()
	rows, err := tx.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	all, err := txn.Collect(rows, func(row txn.Scanner) ([]string, error) {
		values, into := make([]string, columns), make([]any, columns)
		for i := range values {
			into[i] = &values[i]
		}
		err := row.Scan(into...)
		for i, v := range values { // as psql shows booleans
			switch v {
			case "true":
				values[i] = "t"
			case "false":
				values[i] = "f"
			}
		}
		return values, err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	return all
}

// TestMain checks the statements that all tests of the package have run.
func TestMain(m *testing.M) {
	var mu sync.Mutex
	seen := map[string]bool{}
	dbtest.OnStatement = func(query string, _ []any) {
		mu.Lock()
		defer mu.Unlock()
		seen[query] = true
	}
	status := m.Run()
	mu.Lock() // no test runs any more
	for query := range seen {
		if why := refusedByCitus(query); why != "" {
			fmt.Printf("Citus refuses a statement, because %s:\n%s\n", why, query)
			status = max(status, 1)
		}
	}
	os.Exit(status)
}

var (
	tableNames    = regexp.MustCompile(`(?:FROM|JOIN|INTO|UPDATE) ([a-z_0-9]+)`)
	written       = regexp.MustCompile(`(?:INSERT INTO|UPDATE|DELETE FROM) ([a-z_0-9]+)`)
	lockedRows    = regexp.MustCompile(` FOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b`)
	readsInValues = regexp.MustCompile(`^INSERT INTO [a-z_0-9]+ \([^)]*\) VALUES [^;]*\bSELECT\b`)
	namesOneKey   = regexp.MustCompile(`store_hash = (?:\$\d+|CAST\(\$\d+ AS TEXT\))`)
)

// refusedByCitus returns why Citus does not run a statement, "" if it may.
func refusedByCitus(query string) string {
	byStore := ""
	for _, m := range tableNames.FindAllStringSubmatch(query, -1) {
		if placeOf[m[1]] == txn.ByStore {
			byStore = m[1]
		}
	}
	if byStore == "" {
		return ""
	}
	if m := written.FindStringSubmatch(query); m != nil && placeOf[m[1]] == txn.OnEveryServer {
		return "it changes " + m[1] + ", which is on every server, and reads " + byStore + ", whose rows are on one"
	}
	if readsInValues.MatchString(query) {
		return "it has a query among the values of an INSERT"
	}
	if lockedRows.MatchString(query) && !namesOneKey.MatchString(query) {
		return "it locks rows of " + byStore + " without naming one store"
	}
	return ""
}

func TestRefusedByCitus(t *testing.T) {
	t.Parallel()
	for query, refused := range map[string]bool{
		"UPDATE stores SET hooks = EXISTS (SELECT 1 FROM hooks WHERE store_hash = $1) WHERE hash = $1":                        true,
		"UPDATE stores SET hooks = $2 WHERE hash = $1":                                                                        false,
		"SELECT id FROM jobs WHERE state = 'waiting' FOR UPDATE SKIP LOCKED":                                                  true,
		"SELECT id FROM jobs WHERE store_hash = $1 FOR UPDATE":                                                                false,
		"INSERT INTO customers (store_hash) VALUES ($1)":                                                                      false,
		"INSERT INTO hook_positions (store_hash, number) VALUES ($1, (SELECT max(number) FROM events WHERE store_hash = $1))": true,
		"INSERT INTO hook_positions (store_hash, number) SELECT store_hash, id FROM hooks WHERE store_hash = $1":              false,
	} {
		if why := refusedByCitus(query); (why != "") != refused {
			t.Errorf("%s: %q", query, why)
		}
	}
}
