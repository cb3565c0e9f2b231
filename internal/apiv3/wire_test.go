package apiv3_test

import (
	"os"
	"testing"

	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/wiretest"
)

// TestWire runs the wire scripts in testdata, each with an empty database.
func TestWire(t *testing.T) {
	wiretest.Run(t, os.DirFS("testdata"), (*servertest.Server).V3Vars)
}
