// Package testenv decides how much of a test runs: the short form for `go test
// ./...`, the full form for `make test-full`, and a skip where the machine
// lacks a program.
package testenv

import (
	"os"
	"testing"
)

// FullVariable is the environment variable that asks for the full form of every
// test, if it is not empty.
const FullVariable = "COHORT_TEST_FULL"

// Full reports whether tests run in their full form: all repetitions, all
// sizes, and the tests that take minutes.
func Full() bool { return os.Getenv(FullVariable) != "" }

// Times returns full in the full form of the tests, otherwise short. The two
// are sizes or numbers of repetitions of the same test.
func Times[T any](full, short T) T {
	if Full() {
		return full
	}
	return short
}

// Long skips the test unless the full form is asked for. The reason says what
// makes the test long, such as "it imports a million lines".
func Long(t testing.TB, reason string) {
	t.Helper()
	if !Full() {
		t.Skipf("%s: `make test-full` runs it", reason)
	}
}

// NotWithRace skips the test in runs with the race detector. The reason says why the detector
// finds nothing there, such as "it runs other programs".
func NotWithRace(t testing.TB, reason string) {
	t.Helper()
	if Race {
		t.Skipf("%s: only runs without the race detector have it", reason)
	}
}

// Need skips a test that this machine cannot run: it lacks what, such as
// "redis-server", for the reason given. With CI=true the test fails instead,
// because a skip would hide that a change is not tested.
func Need(t testing.TB, what, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("needs %s: %s", what, reason)
	}
	t.Skipf("needs %s: %s", what, reason)
}
