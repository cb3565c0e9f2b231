package apiv3_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// TestWire runs the wire scripts in testdata, each with an empty database.
func TestWire(t *testing.T) {
	scripts := os.DirFS("testdata")
	names, err := fs.Glob(scripts, "*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no scripts (%v)", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				cohorttest.RunScripts(t, scripts, name, func(t *testing.T) cohorttest.Target {
					s := servertest.Start(t, d, server.Options{})
					return cohorttest.Target{URL: s.URL, Vars: s.V3Vars(t)}
				})
			})
		})
	}
}
