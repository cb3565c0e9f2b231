package db_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/txn"
)

func TestDistribute(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	url := pgtest.CitusURL(t)
	d := dbtest.Open(t, url)
	for _, store := range []string{"a", "b", "c"} {
		fillStore(t, d, store)
	}
	if _, distributed := d.Cluster(); distributed {
		t.Error("it is distributed before")
	}
	spread := slices.DeleteFunc(slices.Clone(db.Schema().Places), func(p txn.TablePlace) bool { return p.Place == txn.Local })
	would, err := db.Distribute(t.Context(), url, db.DistributeOptions{Shards: 4, DryRun: true})
	if err != nil || len(would.Workers) != 2 || !slices.Equal(would.Tables, spread) || would.Placed != 0 {
		t.Fatalf("the dry run: %+v, %v", would, err)
	}
	for i, want := range []int{len(would.Tables), 0} {
		did, err := db.Distribute(t.Context(), url, db.DistributeOptions{Shards: 4})
		if err != nil || len(did.Tables) != want || did.Placed != len(would.Tables)-want {
			t.Fatalf("time %d: %+v, %v", i, did, err)
		}
	}
	for i, node := range pgtest.CitusNodeURLs(t, url) {
		d := dbtest.Open(t, node)
		c, distributed := d.Cluster()
		if !distributed || c.Workers != 2 || c.Worker != (i > 0) {
			t.Errorf("server %d: %+v", i, c)
		}
		for _, store := range []string{"a", "b", "c"} {
			wantFilled(t, d, store)
		}
	}
}

func TestDistributeRefuses(t *testing.T) {
	t.Parallel()
	wantRefusal := func(url, why string) {
		t.Helper()
		_, err := db.Distribute(t.Context(), url, db.DistributeOptions{})
		wantKind(t, err, cohort.KindInvalid)
		if !strings.Contains(err.Error(), why) {
			t.Errorf("the error is %v, want %q", err, why)
		}
	}
	wantRefusal("sqlite:"+t.TempDir()+"/a.db", "only a PostgreSQL database with Citus can be distributed")
	wantRefusal(pgtest.URL(t), "it has no Citus")
	pgtest.RequireCitus(t)
	url := pgtest.CitusURL(t)
	nodes := pgtest.CitusNodeURLs(t, url)
	wantRefusal(nodes[1], "it is a worker of Citus; connect to the coordinator, ")
	pgtest.Execute(t, url, "SELECT citus_remove_node(nodename, nodeport) FROM pg_dist_node WHERE groupid > 0")
	wantRefusal(url, "its Citus has no workers")
}

// A later version has a new table. The coordinator places it; a worker cannot, and says so.
func TestUpgradeOfADistributedDatabase(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	url := dbtest.MigratedCitusURL(t)
	nodes := pgtest.CitusNodeURLs(t, url)
	old := dbtest.Open(t, url)
	addStores(t, old, "a")
	addCustomers(t, old, "a", newCustomer(1, 0))

	next := laterSchema(t, `-- +goose Up
CREATE TABLE later (
  store_hash  TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  customer_id BIGINT NOT NULL,
  PRIMARY KEY (store_hash, customer_id)
);
ALTER TABLE customers ADD COLUMN later TEXT NOT NULL DEFAULT '';
`)
	_, err := txn.OpenExisting(t.Context(), nodes[1], next)
	wantKind(t, err, cohort.KindUnavailable)
	if err == nil || !strings.Contains(err.Error(), "cohort db distribute") {
		t.Errorf("a worker with an older schema: %v", err)
	}
	for _, node := range nodes {
		d, err := txn.OpenExisting(t.Context(), node, next)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Update(t.Context(), func(tx *txn.Tx) error {
			_, err := tx.Exec("INSERT INTO later (store_hash, customer_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", "a", 1)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	addCustomers(t, old, "a", newCustomer(2, 0)) // by a node of the old version
}

// laterSchema is the schema of a later version: with one more migration, which makes the
// table later.
func laterSchema(t *testing.T, migration string) txn.Schema {
	t.Helper()
	s := db.Schema()
	files := fstest.MapFS{"9999_later.sql": {Data: []byte(migration)}}
	err := fs.WalkDir(s.Migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(s.Migrations, path)
		files[path] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Migrations = files
	s.Places = append(s.Places, txn.TablePlace{Table: "later", Place: txn.ByStore})
	return s
}
