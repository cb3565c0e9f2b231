package wiretest

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/txn"
)

// tracedStatement is a statement that a request has run, with the first arguments it had.
type tracedStatement struct {
	query string
	args  []any
}

// RunPlacement runs the wire scripts on PostgreSQL, and fails for each statement that does
// not say in which store each row is that it reads or writes. If the tests run on Citus, it
// runs them there too, and fails for each statement that concerns several shards. except are
// parts of statements that may do so, each with its reason.
func RunPlacement(t *testing.T, scripts fs.FS, vars func(*servertest.Server, testing.TB) map[string]string, except map[string]string) {
	t.Helper()
	tables := tablesByStore()
	p := placementRun{scripts: scripts, vars: vars, except: except}
	t.Run("postgres", func(t *testing.T) {
		p.run(t, dbtest.MigratedPostgresURL, func(_ *testing.T, _ *db.DB, s tracedStatement) string { return unplaced(s.query, tables) })
	})
	t.Run("citus", func(t *testing.T) {
		pgtest.RequireCitus(t)
		p.run(t, dbtest.MigratedCitusURL, explainShards)
	})
}

type placementRun struct {
	scripts fs.FS
	vars    func(*servertest.Server, testing.TB) map[string]string
	except  map[string]string
}

// run runs each script on a database of its own, and problem for each statement of its
// requests that no script before it has run.
func (p placementRun) run(t *testing.T, url func(testing.TB) string, problem func(*testing.T, *db.DB, tracedStatement) string) {
	t.Helper()
	names, err := fs.Glob(p.scripts, "*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no scripts (%v)", err)
	}
	known := map[string]bool{}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { // which closes the database at its end
			d := dbtest.Open(t, url(t))
			for _, s := range p.trace(t, d, name) {
				if known[s.query] {
					continue
				}
				known[s.query] = true
				if text := problem(t, d, s); text != "" && !excepted(s.query, p.except) {
					t.Errorf("%s:\n%s", text, s.query)
				}
			}
		})
	}
	t.Logf("%d statements", len(known))
}

// trace runs a script and returns the statements of its requests.
func (p placementRun) trace(t *testing.T, d *db.DB, name string) (list []tracedStatement) {
	t.Helper()
	var mu sync.Mutex
	cohorttest.RunScripts(t, p.scripts, name, func(t *testing.T) cohorttest.Target {
		s := servertest.Start(t, d, server.Options{})
		vars := p.vars(s, t)
		d.TraceStatements(func(query string, args []any) {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, tracedStatement{query, slices.Clone(args)})
		})
		return cohorttest.Target{URL: s.URL, Vars: vars}
	})
	d.TraceStatements(func(string, []any) {})
	mu.Lock()
	defer mu.Unlock()
	return list
}

func excepted(query string, except map[string]string) bool {
	for part := range except {
		if strings.Contains(query, part) {
			return true
		}
	}
	return false
}

func tablesByStore() map[string]bool {
	tables := map[string]bool{}
	for _, p := range db.Schema().Places {
		if p.Place == txn.ByStore {
			tables[p.Table] = true
		}
	}
	return tables
}

var (
	tableUse = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE|INTO)\s+([a-z_]+)`)
	storeUse = regexp.MustCompile(`store_hash\s*=|=\s*[a-z.]*store_hash`)
)

// unplaced returns what a statement lacks, "" if nothing: each use of a table that is
// distributed by store needs a condition on store_hash, and an INSERT the column.
func unplaced(query string, tables map[string]bool) string {
	uses := 0
	for _, m := range tableUse.FindAllStringSubmatch(query, -1) {
		if !tables[strings.ToLower(m[1])] {
			continue
		}
		if strings.Contains(strings.ToUpper(m[0]), "INTO") {
			if !strings.Contains(query, m[1]+" (store_hash") {
				return m[1] + " is written without the column"
			}
			continue
		}
		uses++
	}
	if n := len(storeUse.FindAllString(query, -1)); n < uses {
		return fmt.Sprintf("%d uses of tables, %d conditions", uses, n)
	}
	return ""
}

var taskCount = regexp.MustCompile(`Task Count: (\d+)`)

// explainShards returns what is wrong with the plan of a statement on Citus, "" if nothing.
func explainShards(t *testing.T, d *db.DB, s tracedStatement) (problem string) {
	t.Helper()
	if !regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)`).MatchString(s.query) {
		return ""
	}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		problem = ""
		rows, err := tx.Query("EXPLAIN "+s.query, s.args...)
		if err != nil {
			return err
		}
		plan, err := txn.Collect(rows, func(row txn.Scanner) (step string, err error) { return step, row.Scan(&step) })
		text := strings.Join(plan, "\n")
		for _, m := range taskCount.FindAllStringSubmatch(text, -1) {
			// The planner gives no task to a statement of which it sees that it finds nothing.
			if m[1] != "1" && m[1] != "0" {
				problem = "a plan with " + m[1] + " tasks"
			}
		}
		if strings.Contains(text, "Subplan") || strings.Contains(text, "pulled to coordinator") {
			problem = "a plan in several parts"
		}
		return err
	})
	if err != nil {
		return err.Error()
	}
	return problem
}
