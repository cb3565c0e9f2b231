package apiv3_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/cohorttest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// TestWireManaged runs the scripts in testdata/managed, each with a store whose catalog
// Cohort manages.
func TestWireManaged(t *testing.T) {
	scripts := os.DirFS("testdata/managed")
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
					vars := s.V3Vars(t)
					managed := cohort.CatalogManaged
					if _, err := s.Service.UpdateStore(t.Context(), vars["store"], cohort.StoreUpdate{Catalog: &managed}); err != nil {
						t.Fatal(err)
					}
					return cohorttest.Target{URL: s.URL, Vars: vars}
				})
			})
		})
	}
}
