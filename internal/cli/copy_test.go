package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/pgtest"
)

func TestCopy(t *testing.T) {
	t.Parallel()
	from, there, back := newDB(t), pgtest.URL(t), newDB(t)
	mustRun(t, "store", "create", "alpha", "--plan", "pro", "--db", from)
	mustRun(t, "store", "create", "beta", "--db", from)
	mustRun(t, "token", "create", "--store", "alpha", "--scope", "store_v2_customers", "--db", from)
	mustRun(t, "console", "token", "create", "--name", "ann", "--db", from)

	r := mustRun(t, "copy", "--from", from, "--to", there)
	if r.err != "" {
		t.Errorf("a bar is drawn where there is no terminal: %q", r.err)
	}
	lines := strings.Split(r.out, "\n")
	for i, want := range []string{"TABLE FROM TO", "stores 2 2", "operators 1 1", "store_generations 2 2", "tokens 1 1", "counters 0 0"} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d: %q, want %q", i+1, got, want)
		}
	}
	mustRun(t, "copy", "--from", there, "--to", back)
	for _, db := range []string{there, back} {
		wantStores(t, db, "alpha pro 450 default", "beta unlimited none default")
	}
	want := mustRun(t, "token", "list", "--db", from)
	if got := mustRun(t, "token", "list", "--db", back); got != want {
		t.Errorf("tokens:\n%s\nwant:\n%s", got.out, want.out)
	}
	wantFailure(t, run(t, "copy", "--from", from, "--to", there), 1,
		"the database to copy to is not empty; give one that has never held a store")
}

func TestCopyRejects(t *testing.T) {
	t.Parallel()
	there := newDB(t)
	mustRun(t, "store", "create", "alpha", "--db", there)
	dir := t.TempDir()
	none := "sqlite:" + filepath.Join(dir, "none.db")
	wantFailure(t, run(t, "copy", "--from", there, "--to", there), 2, "--from and --to name the same database")
	wantFailure(t, run(t, "copy", "--from", none, "--to", "sqlite:"+filepath.Join(dir, "to.db")), 1,
		"cannot open the database "+none+": there is no such file; `cohort serve` or `cohort store create` makes one")
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("the command created %v", files)
	}
}
