package cli

import (
	"runtime"
	"testing"

	"cohort.example/cohort/internal/limit"
)

// TestProcessorsAreReadBeforeTheyAreRaised: a server sets GOMAXPROCS above the number of
// processors, and its limits still depend on the number of processors.
func TestProcessorsAreReadBeforeTheyAreRaised(t *testing.T) {
	t.Setenv("GOMAXPROCS", "") // which would say how many
	before := limit.Processors()
	runtime.GOMAXPROCS(before)
	raiseProcessors()
	if got := runtime.GOMAXPROCS(0); got != 2*before {
		t.Errorf("%d threads run on %d processors", got, before)
	}
	if got := limit.Processors(); got != before {
		t.Errorf("there were %d processors, and then %d", before, got)
	}
	runtime.GOMAXPROCS(before)
}
