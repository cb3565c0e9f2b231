package server_test

import (
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// eachEngineIfFull runs fn on an empty SQLite database, and in the full form on every
// engine. It is for tests of what does not depend on the engine, such as headers, limits
// and the log.
func eachEngineIfFull(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	if testenv.Full() {
		dbtest.Each(t, fn)
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, dbtest.SQLite(t))
	})
}
