package main_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// abuseTime is about how long the whole of TestAbuse lasts. COHORT_ABUSE says it, as
// in 2m; without it there is a short form of a few seconds.
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

// abuse is what the hostile cases share: how much they do, and what they found.
type abuse struct {
	long  bool
	share time.Duration // of one crowd

	mu       sync.Mutex
	findings []string
}

// crowds is how many times a case lets clients loose for a share of the time. About
// three quarters of the whole go into preparing them.
const crowds = 6

func newAbuse(t *testing.T) *abuse {
	t.Helper()
	total := abuseTime(t)
	return &abuse{long: total > 0, share: max(total/(4*crowds), 500*time.Millisecond)}
}

// size is how many there are of something: all of them, or few in the short form.
func (a *abuse) size(few, all int) int {
	if a.long {
		return all
	}
	return few
}

// found notes the figures of a case, in a line.
func (a *abuse) found(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.findings = append(a.findings, strings.TrimPrefix(t.Name(), "TestAbuse/")+": "+line)
}

// TestAbuse has hostile clients at work on real servers, each case on one of its
// own. A client may be refused; it cannot make the server take much memory, keep
// others waiting for long, tell a lie, answer 500 or die. How long something took is
// told, and asserted nowhere.
func TestAbuse(t *testing.T) {
	t.Parallel()
	a := newAbuse(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *abuse)
	}{
		{"prices of everything", pricesOfEverything},
		{"groups with very many categories", groupsWithManyCategories},
		{"lists that nobody reads", listsUnread},
		{"a store that is made again", storeMadeAgain},
		{"a token that is revoked", tokenRevoked},
		{"refusals before the body", refusalsBeforeBody},
		{"bodies that do not come", bodiesThatDoNotCome},
		{"clients that half leave", clientsThatHalfLeave},
		{"files for the owner alone", filesForOwner},
		{"a database that is removed", databaseRemoved},
		{"a database that is replaced", databaseReplaced},
		{"big work beside small", bigWork},
		{"doors", doors},
		{"guesses of tokens", tokenGuesses},
		{"tokens on every route", tokensOnEveryRoute},
		{"odd requests", oddRequests},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, a) })
	}
	t.Logf("the hostile set found:\n  %s", strings.Join(a.findings, "\n  "))
}

// program runs a command to its end, and returns what it has printed.
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
