package cli_test

import (
	"strings"
	"testing"

	"cohort.example/cohort/internal/pgtest"
)

func TestDistribute(t *testing.T) {
	t.Parallel()
	pgtest.RequireCitus(t)
	url := pgtest.CitusURL(t)
	mustRun(t, "store", "create", "alpha", "--db", url)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--dry-run"}, "tables would be placed, 0 are in their places. Nothing was changed."},
		{[]string{"--shards", "2"}, "tables are placed, 0 were in their places."},
		{nil, "tables are in their places."},
	} {
		r := mustRun(t, append([]string{"db", "distribute", "--db", url}, c.args...)...)
		if !strings.Contains(r.out, c.want) || !strings.HasPrefix(r.out, "Citus ") {
			t.Errorf("%q prints:\n%s", c.args, r.out)
		}
	}
	wantStores(t, url, "alpha unlimited none default")
}

func TestDistributeRejects(t *testing.T) {
	t.Parallel()
	for _, shards := range []string{"0", "1025", "-1"} {
		wantFailure(t, run(t, "db", "distribute", "--shards="+shards), 2, "--shards is a number from 1 to 1024")
	}
	r := run(t, "db", "distribute", "--db", newDB(t))
	if r.status != 1 || !strings.Contains(r.err, "nly a PostgreSQL database with Citus can be distributed") {
		t.Errorf("a file: %+v", r)
	}
	r = run(t, "db", "distribute", "--db", pgtest.URL(t))
	if r.status != 1 || !strings.Contains(r.err, "it has no Citus: run CREATE EXTENSION citus") {
		t.Errorf("a server without Citus: %+v", r)
	}
}
