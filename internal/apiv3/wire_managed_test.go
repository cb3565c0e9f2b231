package apiv3_test

import (
	"os"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/wiretest"
)

// TestWireManaged runs the scripts in testdata/managed, each with a store whose catalog
// Cohort manages.
func TestWireManaged(t *testing.T) {
	wiretest.Run(t, os.DirFS("testdata/managed"), func(s *servertest.Server, t testing.TB) map[string]string {
		vars := s.V3Vars(t)
		managed := cohort.CatalogManaged
		if _, err := s.Service.UpdateStore(t.Context(), vars["store"], cohort.StoreUpdate{Catalog: &managed}); err != nil {
			t.Fatal(err)
		}
		return vars
	})
}
