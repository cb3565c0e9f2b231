package txn_test

import (
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// Of nodes that start together on an empty database, one creates the tables.
func TestNodesMigrateOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	nodes := make([]*db.DB, testenv.Times(10, 5))
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() {
			var err error
			if nodes[i], err = db.Open(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, d := range nodes {
		if d == nil {
			continue
		}
		defer d.Close()
		store := fmt.Sprint("s", i)
		prepareStore(t, d, store)
		wantEqual(t, store, createGroup.after(0), contents(t, nodes[len(nodes)-1-i], store))
	}
	// A row per version, as many as a single node writes.
	single := dbtest.Open(t, pgtest.URL(t))
	const applied = "SELECT 1 FROM goose_db_version WHERE is_applied"
	want := count(t, single, applied)
	wantEqual(t, "migrations", want, count(t, nodes[0], applied))
	wantEqual(t, "different migrations", want, count(t, nodes[0], "SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied"))
}

// count returns how many rows a query has.
func count(t *testing.T, d *db.DB, query string) (n int64) {
	t.Helper()
	view(t, d, func(tx *db.Tx) (err error) {
		n, err = tx.Exec(query)
		return err
	})
	return n
}

// A newer version changes a table for which a connection has prepared statements.
func TestSchemaChangesUnderPreparedStatements(t *testing.T) {
	t.Parallel()
	url := dbtest.MigratedPostgresURL(t)
	d := dbtest.Open(t, with(t, url, "pool_max_conns=1"))
	for n, change := range []string{
		"ALTER TABLE customer_groups ADD COLUMN priority BIGINT NOT NULL DEFAULT 7",
		"ALTER TABLE customer_groups ADD COLUMN code TEXT NOT NULL DEFAULT gen_random_uuid()::text",
		"CREATE TABLE something_new (store_hash TEXT NOT NULL REFERENCES stores (hash) ON DELETE CASCADE, id BIGINT NOT NULL)",
		"CREATE INDEX customer_groups_by_exact_name ON customer_groups (store_hash, name)",
		"CREATE INDEX CONCURRENTLY customers_by_notes ON customers (store_hash, notes)",
		// No release does this, but the server rejects the old plans after it.
		"ALTER TABLE customer_groups ALTER COLUMN name TYPE VARCHAR(500), ALTER COLUMN category_access TYPE VARCHAR(5000)",
	} {
		all := append(operations[n%len(operations):], operations...)[:testenv.Times(len(operations), 2)]
		for _, op := range all { // prepares the statements
			store := fmt.Sprint(n, op.name)
			prepareStore(t, d, store)
			update(t, d, func(tx *db.Tx) error { return op.run(tx, store) })
			wantEqual(t, op.name, op.after(1), contents(t, d, store))
		}
		if err := execPostgres(t, url, change); err != nil {
			t.Fatal(err)
		}
		for _, op := range all {
			store := fmt.Sprint(n, op.name, " again")
			prepareStore(t, d, store)
			update(t, d, func(tx *db.Tx) error { return op.run(tx, store) })
			wantEqual(t, change+": "+op.name, op.after(1), contents(t, d, store))
		}
	}
}
