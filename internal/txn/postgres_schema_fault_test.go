package txn_test

import (
	"fmt"
	"sync"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// Nodes that start at once on an empty database make its tables once.
func TestManyNodesStartAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	const many = 10
	nodes := make([]*db.DB, many)
	var all sync.WaitGroup
	for i := range many {
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
		wantEqual(t, store, deeds[0].left(0), contents(t, nodes[many-1-i], store))
	}
	// As many rows as versions, and as many as one node alone makes.
	alone := dbtest.Open(t, pgtest.URL(t))
	const ran = "SELECT 1 FROM goose_db_version WHERE is_applied"
	want := count(t, alone, ran)
	wantEqual(t, "migrations", want, count(t, nodes[0], ran))
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

// A connection that has prepared its statements meets a table that a newer
// version has changed.
func TestSchemaChangesUnderANode(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	d := dbtest.Open(t, with(t, s.URL(), "pool_max_conns=1"))
	prepareStore(t, d, "a")
	for n, change := range []string{
		"ALTER TABLE customer_groups ADD COLUMN priority BIGINT NOT NULL DEFAULT 7",
		"ALTER TABLE customer_groups ADD COLUMN code TEXT NOT NULL DEFAULT gen_random_uuid()::text",
		"CREATE TABLE something_new (store_hash TEXT NOT NULL REFERENCES stores (hash) ON DELETE CASCADE, id BIGINT NOT NULL)",
		"CREATE INDEX customer_groups_by_name ON customer_groups (store_hash, name)",
		"CREATE INDEX CONCURRENTLY customers_by_notes ON customers (store_hash, notes)",
		// Not what a release does, but what the server refuses to run old plans for.
		"ALTER TABLE customer_groups ALTER COLUMN name TYPE VARCHAR(500), ALTER COLUMN category_access TYPE VARCHAR(5000)",
	} {
		store := fmt.Sprint("s", n)
		for _, deed := range deeds { // prepares the statements
			prepareStore(t, d, store+deed.name)
			update(t, d, func(tx *db.Tx) error { return deed.do(tx, store+deed.name) })
			wantEqual(t, deed.name, deed.left(1), contents(t, d, store+deed.name))
		}
		s.Exec(t, change)
		for _, deed := range deeds {
			store := store + deed.name + " again"
			prepareStore(t, d, store)
			update(t, d, func(tx *db.Tx) error { return deed.do(tx, store) })
			wantEqual(t, change+": "+deed.name, deed.left(1), contents(t, d, store))
		}
	}
}
