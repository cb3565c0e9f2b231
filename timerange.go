package cohort

import "time"

// TimeRange is the half-open span [From, Until); a zero end is open.
type TimeRange struct {
	From, Until time.Time
}

// Intersect returns the span that lies in both.
func (s TimeRange) Intersect(o TimeRange) TimeRange {
	if s.From.IsZero() || !o.From.IsZero() && o.From.After(s.From) {
		s.From = o.From
	}
	if s.Until.IsZero() || !o.Until.IsZero() && o.Until.Before(s.Until) {
		s.Until = o.Until
	}
	return s
}
