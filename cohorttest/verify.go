package cohorttest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/journal"
)

// Expectation is how many requests a test expects. The zero value expects none.
type Expectation struct {
	least, most int
	within      time.Duration
}

// Times expects n requests.
func Times(n int) Expectation { return Expectation{least: n, most: n} }

// AtLeast expects n requests or more.
func AtLeast(n int) Expectation { return Expectation{least: n, most: math.MaxInt} }

// AtMost expects n requests or fewer.
func AtMost(n int) Expectation { return Expectation{most: n} }

// Within waits up to d for requests that are missing, for a client that works in the
// background. If none is required, as by Times(0), it watches for that long, and fails at
// the first one too many.
func (e Expectation) Within(d time.Duration) Expectation {
	e.within = d
	return e
}

func (e Expectation) journal() journal.Expectation {
	return journal.Expectation{Min: e.least, Max: e.most, Within: e.within}
}

// failure describes an expectation that does not hold.
func failure(criteria string, want Expectation, got journal.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests match %s, want %s", got.Count, criteria, control.Expected(want.journal()))
	if len(got.Misses) > 0 {
		b.WriteString("\nthe nearest ones:")
	}
	for _, m := range got.Misses {
		fmt.Fprintf(&b, "\n  %s %s (%s, status %d)", m.Entry.Method, m.Entry.Path, operationName(m.Entry), m.Entry.Status)
		for _, d := range m.Differences {
			fmt.Fprintf(&b, "\n    %s: got %s, want %s", d.Field, shown(d.Got), shown(d.Wanted))
		}
	}
	return b.String()
}

func operationName(e *journal.Entry) string {
	if e.Operation == "" {
		return "no operation"
	}
	return e.Operation
}

// shown is a value in a message.
func shown(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}
