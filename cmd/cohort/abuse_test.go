package main_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// abuseTime is the approximate duration of TestAbuse, from COHORT_ABUSE, such
// as 2m. Without the variable it is 0, for a form of a few seconds.
func abuseTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("COHORT_ABUSE")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("COHORT_ABUSE: %v", err)
	}
	return d
}

// abuse is shared by the hostile cases: how much work they do, and their
// measurements.
type abuse struct {
	long  bool
	share time.Duration // for each group of hostile clients

	mu       sync.Mutex
	findings []string
}

// crowds is the number of times that a case runs hostile clients for a share of
// the time. Preparing them takes about three quarters of the whole.
const crowds = 6

func newAbuse(t *testing.T) *abuse {
	t.Helper()
	total := abuseTime(t)
	least := testenv.Times(500*time.Millisecond, 100*time.Millisecond)
	return &abuse{long: total > 0, share: max(total/(4*crowds), least)}
}

// each runs a case on a database of each engine. The short form uses SQLite
// only: TestRecreatedStore and TestRevokedTokenWritesNothing make the same
// assertions on PostgreSQL, with two nodes.
func (a *abuse) each(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	if a.long {
		dbtest.EachURL(t, fn)
		return
	}
	eachOrSQLite(t, fn)
}

// size returns all in the long form, otherwise few.
func (a *abuse) size(few, all int) int {
	if a.long {
		return all
	}
	return few
}

// found adds a line of measurements to the report.
func (a *abuse) found(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.findings = append(a.findings, strings.TrimPrefix(t.Name(), "TestAbuse/")+": "+line)
}

// TestAbuse runs hostile clients against real servers, one server for each
// case. The server may reject a client. A client must not make it use much
// memory, delay other clients for long, send a wrong response, respond with 500
// or crash. Durations are reported, and never asserted.
func TestAbuse(t *testing.T) {
	t.Parallel()
	a := newAbuse(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *abuse)
	}{
		{"prices of everything", pricesOfEverything},
		{"groups with very many categories", groupsWithManyCategories},
		{"unread lists", listsUnread},
		{"a recreated store", recreatedStore},
		{"a revoked token", tokenRevoked},
		{"rejections before the body", rejectionsBeforeBody},
		{"missing bodies", missingBodies},
		{"half-closed connections", halfClosedConnections},
		{"file modes", fileModes},
		{"a removed database file", databaseRemoved},
		{"a replaced database file", databaseReplaced},
		{"large operations beside small ones", largeOperations},
		{"before the API", beforeAPI},
		{"guessed tokens", tokenGuesses},
		{"tokens on every route", tokensOnEveryRoute},
		{"odd requests", oddRequests},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, a) })
	}
	t.Logf("measurements:\n  %s", strings.Join(a.findings, "\n  "))
}

// program runs a command and returns its standard output.
func program(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	var out, diagnostics bytes.Buffer
	cmd := command(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &diagnostics
	if err := cmd.Run(); err != nil {
		t.Fatalf("cohort %s: %v\n%s", strings.Join(args, " "), err, &diagnostics)
	}
	return strings.TrimSpace(out.String())
}
