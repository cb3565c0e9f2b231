package testenv_test

import (
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
	for value, want := range map[string]bool{"": true, "1": false} {
		t.Setenv(testenv.FullVariable, value)
		if got := skips(t, func(t *testing.T) { testenv.Long(t, "it takes a minute") }); got != want {
			t.Errorf("%s=%q: skipped is %t, want %t", testenv.FullVariable, value, got, want)
		}
	}
}

func TestNeedSkipsOutsideCI(t *testing.T) {
	t.Setenv("CI", "")
	if !skips(t, func(t *testing.T) { testenv.Need(t, "a program", "it is not installed") }) {
		t.Error("the test ran")
	}
}

// skips reports whether a subtest that runs fn ends as skipped.
func skips(t *testing.T, fn func(t *testing.T)) (skipped bool) {
	t.Helper()
	t.Run("sub", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		fn(t)
	})
	return skipped
}
