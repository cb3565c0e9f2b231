// Package wrapup has the test that prints what a test run leaves out. Its name
// makes it the last package of ./..., so go test starts it last.
package wrapup

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
)

// TestNotice prints which tests this run skips or shortens, and why, to the output
// of plain `go test ./...`. docs/decisions/0051 has the
// reasons for the way it takes.
func TestNotice(t *testing.T) {
	text := notice()
	t.Log(text)
	awaitOtherTests(t)
	out, err := goCommandOutput()
	if err != nil {
		t.Logf("the notice is only in this log: %v", err)
		return
	}
	defer out.Close()
	if _, err := io.WriteString(out, text); err != nil {
		t.Logf("the notice is only in this log: %v", err)
	}
	keepOutOfCache(t)
}

func notice() string {
	var lines []string
	if missing := pgtest.Missing(); missing != "" {
		lines = append(lines, "skipped: all tests on PostgreSQL: "+missing)
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		lines = append(lines, "skipped: all tests of limits that nodes share: redis-server is not in the PATH (on Debian: apt install redis-server)")
	}
	if !testenv.Full() {
		lines = append(lines, "skipped or shortened: tests that take minutes: `make test-full` runs them in full")
	}
	if len(lines) == 0 {
		lines = append(lines, "no tests are skipped for a missing program or for their length")
	}
	if os.Getenv("COHORT_TESTRUN") == "" { // internal/testrun sets it, and lists them itself
		lines = append(lines, "`make test` lists every skipped test")
	}
	return strings.Join(lines, "\n") + "\n"
}

// awaitOtherTests returns when no other test binary of this run is left, or when
// this test has to end.
func awaitOtherTests(t *testing.T) {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Hour)
	}
	for otherTests() > 0 && time.Until(deadline) > 10*time.Second {
		time.Sleep(20 * time.Millisecond) // between two looks; processes that are not our children cannot be waited for
	}
}

// keepOutOfCache keeps go test from caching the result of this package, so that
// the notice appears in every run: go test caches no result of a test that has
// read a file of the module which is younger than two seconds.
func keepOutOfCache(t *testing.T) {
	t.Helper()
	path := filepath.Join("testdata", "touched.txt")
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Logf("the notice does not appear while this result is cached: %v", err)
		return
	}
	if _, err := os.ReadFile(path); err != nil {
		t.Error(err)
	}
}
