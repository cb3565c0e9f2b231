// Package wiretest runs the wire scripts of a dialect.
package wiretest

import (
	"io/fs"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// Run runs the wire scripts in the root of a file system, each on an empty SQLite
// database, and in the full form of the tests on an empty database of every engine.
// vars returns the variables of the scripts.
func Run(t *testing.T, scripts fs.FS, vars func(*servertest.Server, testing.TB) map[string]string) {
	t.Helper()
	names, err := fs.Glob(scripts, "*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no scripts (%v)", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			t.Parallel()
			dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
				cohorttest.RunScripts(t, scripts, name, func(t *testing.T) cohorttest.Target {
					s := servertest.Start(t, d, server.Options{})
					return cohorttest.Target{URL: s.URL, Vars: vars(s, t)}
				})
			})
		})
	}
}
