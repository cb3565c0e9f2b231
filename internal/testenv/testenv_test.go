package testenv_test

import (
	"cmp"
	"testing"

	"cohort.example/cohort/internal/testenv"
)

func TestTimes(t *testing.T) {
	for value, want := range map[string]int{"": 3, "1": 1000} {
		t.Setenv(testenv.FullVariable, value)
		if got := testenv.Times(1000, 3); got != want {
			t.Errorf("%s=%q: %d times, want %d", testenv.FullVariable, value, got, want)
		}
	}
}

func TestLong(t *testing.T) {
	for value, want := range map[string]string{"": "skipped", "1": ""} {
		t.Setenv(testenv.FullVariable, value)
		r := &recorder{TB: t}
		if testenv.Long(r, "it takes a minute"); r.outcome != want {
			t.Errorf("%s=%q: the outcome is %q, want %q", testenv.FullVariable, value, r.outcome, want)
		}
	}
}

func TestNeed(t *testing.T) {
	for value, want := range map[string]string{"": "skipped", "true": "failed"} {
		t.Setenv("CI", value)
		r := &recorder{TB: t}
		if testenv.Need(r, "a program", "it is not installed"); r.outcome != want {
			t.Errorf("CI=%q: the outcome is %q, want %q", value, r.outcome, want)
		}
	}
}

// recorder notes how a test would have ended, and goes on.
type recorder struct {
	testing.TB
	outcome string
}

func (r *recorder) Skipf(string, ...any)  { r.outcome = cmp.Or(r.outcome, "skipped") }
func (r *recorder) Fatalf(string, ...any) { r.outcome = cmp.Or(r.outcome, "failed") }
