package server_test

import (
	"os"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// fullTests reports whether this is the full test run: the same assertions with more
// repetitions, more rows and more database engines.
func fullTests() bool { return os.Getenv("COHORT_TEST_FULL") != "" }

// eachEngineIfFull runs fn on an empty SQLite database, and in the full test run on
// every engine. It is for tests of what does not depend on the engine, such as
// headers, limits and the log.
func eachEngineIfFull(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	if fullTests() {
		dbtest.Each(t, fn)
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, dbtest.SQLite(t))
	})
}

// repetitions returns n in the full test run, and a tenth of it otherwise.
func repetitions(n int) int {
	if fullTests() {
		return n
	}
	return n / 10
}
