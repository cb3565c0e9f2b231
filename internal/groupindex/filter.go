package groupindex

import (
	"math"
	"strings"

	"cohort.example/cohort"
)

// Filter is a cohort.GroupFilter in the form that is compared with entries.
type Filter struct {
	name              *string
	like              string
	isDefault, guests *bool
	created, modified msRange
}

// NewFilter returns a filter. fold must be the function that made Entry.Folded.
func NewFilter(f cohort.GroupFilter, fold func(string) string) Filter {
	return Filter{
		name: f.Name, like: fold(f.NameLike), isDefault: f.IsDefault, guests: f.IsGroupForGuests,
		created: newMSRange(f.DateCreated), modified: newMSRange(f.DateModified),
	}
}

var everything = Filter{created: newMSRange(cohort.TimeRange{}), modified: newMSRange(cohort.TimeRange{})}

// passesAll reports whether every entry passes the filter.
func (f *Filter) passesAll() bool { return *f == everything }

func (f *Filter) passes(e *Entry) bool {
	return f.created.has(e.Created) && f.modified.has(e.Modified) &&
		(f.isDefault == nil || *f.isDefault == e.Default) &&
		(f.guests == nil || *f.guests == e.Guests) &&
		(f.name == nil || *f.name == e.Name) &&
		(f.like == "" || strings.Contains(e.Folded, f.like))
}

// msRange is a half-open range of Unix milliseconds.
type msRange struct{ from, until int64 }

func newMSRange(r cohort.TimeRange) msRange {
	ms := msRange{math.MinInt64, math.MaxInt64}
	if !r.From.IsZero() {
		ms.from = r.From.UnixMilli()
	}
	if !r.Until.IsZero() {
		ms.until = r.Until.UnixMilli()
	}
	return ms
}

func (r msRange) has(ms int64) bool { return r.from <= ms && ms < r.until }
