package api

import "cohort.example/cohort"

// The functions in this file make the entries of a dialect's filter tables. An
// entry parses the value of a query parameter and stores it in an F. Its errors
// have no field name.

// TextFilter returns an entry for a filter of type *string.
func TextFilter[F any](field func(*F) **string) func(*F, string) error {
	return func(into *F, value string) error {
		*field(into) = &value
		return nil
	}
}

// DateFilter returns an entry for a filter on a date. part selects the part of the
// parsed range that the filter matches: OnDate, FromDate or UntilDate.
func DateFilter[F any](field func(*F) *cohort.TimeRange, part func(cohort.TimeRange) cohort.TimeRange) func(*F, string) error {
	return func(into *F, value string) error {
		date, ok := ParseDate(value)
		if !ok {
			return cohort.Invalid("", "The value must be a date in ISO 8601 or RFC 2822.")
		}
		at := field(into)
		*at = at.Intersect(part(date))
		return nil
	}
}

// OnDate matches times within the day or second of the filter.
func OnDate(r cohort.TimeRange) cohort.TimeRange { return r }

// FromDate matches times from the start of the day or second of the filter.
func FromDate(r cohort.TimeRange) cohort.TimeRange { return cohort.TimeRange{From: r.From} }

// UntilDate matches times up to the end of the day or second of the filter.
func UntilDate(r cohort.TimeRange) cohort.TimeRange { return cohort.TimeRange{Until: r.Until} }
