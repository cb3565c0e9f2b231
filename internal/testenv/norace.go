//go:build !race

package testenv

// Race is whether the race detector watches this test binary.
const Race = false
