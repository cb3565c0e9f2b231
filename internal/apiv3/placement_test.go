package apiv3_test

import (
	"os"
	"testing"

	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/wiretest"
)

// TestPlacement checks that no statement of a request concerns several stores.
func TestPlacement(t *testing.T) {
	wiretest.RunPlacement(t, os.DirFS("testdata"), (*servertest.Server).V3Vars, map[string]string{
		"INSERT INTO counters (store_hash, kind, last_id) SELECT CAST": "Citus cannot explain it; it writes the counter of one store",
	})
}
