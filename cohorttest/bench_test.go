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

// BenchmarkTempStore: so must a store for each test, from its creation to its end.
func BenchmarkTempStore(b *testing.B) {
	c := cohorttest.Start(b)
	for b.Loop() {
		t := &cleanups{TB: b}
		c.TempStore(t)
		t.run()
	}
}

// cleanups runs what a test has left to do.
type cleanups struct {
	testing.TB
	left []func()
}

func (c *cleanups) Cleanup(f func()) { c.left = append(c.left, f) }

func (c *cleanups) run() {
	for _, f := range c.left {
		f()
	}
}
