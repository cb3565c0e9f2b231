package cohorttest_test

import (
	"testing"

	"cohort.example/cohort/cohorttest"
)

// BenchmarkStart: a server for each test must not make tests slow.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := cohorttest.New()
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
