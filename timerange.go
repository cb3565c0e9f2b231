package cohort

import "time"

// TimeRange is the half-open range [From, Until). A zero end is unbounded.
type TimeRange struct {
	From, Until time.Time
}

// Intersect returns the intersection of two ranges.
func (r TimeRange) Intersect(o TimeRange) TimeRange {
	if r.From.IsZero() || !o.From.IsZero() && o.From.After(r.From) {
		r.From = o.From
	}
	if r.Until.IsZero() || !o.Until.IsZero() && o.Until.Before(r.Until) {
		r.Until = o.Until
	}
	return r
}
