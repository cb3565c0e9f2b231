package groupindex

import (
	"math"
	"strings"

	"cohort.example/cohort"
)

// Filter is a cohort.GroupFilter made ready for many entries.
type Filter struct {
	name              *string
	like              string
	isDefault, guests *bool
	created, modified span
}

// NewFilter returns a filter; fold is how Entry.Folded was made.
func NewFilter(f cohort.GroupFilter, fold func(string) string) Filter {
	return Filter{
		name: f.Name, like: fold(f.NameLike), isDefault: f.IsDefault, guests: f.IsGroupForGuests,
		created: newSpan(f.DateCreated), modified: newSpan(f.DateModified),
	}
}

var everything = Filter{created: newSpan(cohort.TimeRange{}), modified: newSpan(cohort.TimeRange{})}

// passesAll reports whether there is nothing that the filter looks at.
func (f *Filter) passesAll() bool { return *f == everything }

func (f *Filter) passes(e *Entry) bool {
	return f.created.has(e.Created) && f.modified.has(e.Modified) &&
		(f.isDefault == nil || *f.isDefault == e.Default) &&
		(f.guests == nil || *f.guests == e.Guests) &&
		(f.name == nil || *f.name == e.Name) &&
		(f.like == "" || strings.Contains(e.Folded, f.like))
}

// span is a half-open span of Unix milliseconds.
type span struct{ from, until int64 }

func newSpan(s cohort.TimeRange) span {
	ms := span{math.MinInt64, math.MaxInt64}
	if !s.From.IsZero() {
		ms.from = s.From.UnixMilli()
	}
	if !s.Until.IsZero() {
		ms.until = s.Until.UnixMilli()
	}
	return ms
}

func (s span) has(ms int64) bool { return s.from <= ms && ms < s.until }
