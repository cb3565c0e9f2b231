package api

import "cohort.example/cohort"

// What dialects make their tables of filters with: each returns how a filter's
// value gets into an F. Errors name no field.

// TextFilter is for a filter of type *string.
func TextFilter[F any](field func(*F) **string) func(*F, string) error {
	return func(into *F, value string) error {
		*field(into) = &value
		return nil
	}
}

// DateFilter is for a filter on a date, of which a part of the span that the text
// names is kept.
func DateFilter[F any](field func(*F) *cohort.TimeRange, part func(cohort.TimeRange) cohort.TimeRange) func(*F, string) error {
	return func(into *F, value string) error {
		span, ok := ParseDate(value)
		if !ok {
			return cohort.Invalid("", "The value must be a date in ISO 8601 or RFC 2822.")
		}
		at := field(into)
		*at = at.Intersect(part(span))
		return nil
	}
}

// A date names a day or a second. Equal means within it, min from its beginning,
// max up to its end.

// OnDate is the part of a span for a date that is equal.
func OnDate(s cohort.TimeRange) cohort.TimeRange { return s }

// FromDate is the part of a span for a date that is the least.
func FromDate(s cohort.TimeRange) cohort.TimeRange { return cohort.TimeRange{From: s.From} }

// UntilDate is the part of a span for a date that is the most.
func UntilDate(s cohort.TimeRange) cohort.TimeRange { return cohort.TimeRange{Until: s.Until} }
