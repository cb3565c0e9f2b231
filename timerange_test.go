package cohort_test

import (
	"testing"
	"time"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTimeRangeIntersect(t *testing.T) {
	// Few seconds, so that ends often coincide. The zero time is unbounded.
	end := rapid.OneOf(rapid.Just(time.Time{}), rapid.Map(rapid.Int64Range(0, 9), func(s int64) time.Time { return time.Unix(s, 0) }))
	span := rapid.Custom(func(t *rapid.T) cohort.TimeRange {
		return cohort.TimeRange{From: end.Draw(t, "from"), Until: end.Draw(t, "until")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := span.Draw(t, "a"), span.Draw(t, "b")
		both := a.Intersect(b)
		for s := int64(-1); s <= 10; s++ {
			at := time.Unix(s, 0)
			if got, want := contains(both, at), contains(a, at) && contains(b, at); got != want {
				t.Fatalf("second %d: in both ranges: %v, in the intersection: %v (%v)", s, want, got, both)
			}
		}
		if diff := cmp.Diff(both, b.Intersect(a)); diff != "" {
			t.Fatalf("the intersection depends on the order:\n%s", diff)
		}
		if diff := cmp.Diff(a, a.Intersect(cohort.TimeRange{})); diff != "" {
			t.Fatalf("the unbounded range changes the other:\n%s", diff)
		}
	})
}

func contains(s cohort.TimeRange, at time.Time) bool {
	return (s.From.IsZero() || !at.Before(s.From)) && (s.Until.IsZero() || at.Before(s.Until))
}

// An end may be before the zero time: RFC 3339 can express the year 0.
func TestTimeRangeIntersectBeforeTheZeroTime(t *testing.T) {
	year0 := cohort.TimeRange{From: time.Date(0, 6, 1, 0, 0, 0, 0, time.UTC)}
	if diff := cmp.Diff(year0, year0.Intersect(cohort.TimeRange{})); diff != "" {
		t.Errorf("the unbounded range removes the end (-want +got):\n%s", diff)
	}
}
