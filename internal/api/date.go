package api

import (
	"net/mail"
	"strings"
	"time"

	"cohort.example/cohort"
)

// dateLayouts are the forms of a date without a zone, and with one as ISO 8601
// and RFC 3339 have it. The one with a space is how V2 groups show their dates.
var dateLayouts = []string{
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05Z0700",
}

// ParseDate reads a date of a filter: ISO 8601 with or without time and zone,
// or RFC 2822; without a zone it is UTC. It returns the span that the text
// names, which is one day or one second, because dates are shown to the second.
func ParseDate(s string) (cohort.TimeRange, bool) {
	s = strings.TrimSpace(s)
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return closed(cohort.TimeRange{From: day, Until: day.AddDate(0, 0, 1)})
	}
	t, ok := parseTime(s)
	if !ok {
		// The '+' of a zone arrives as a space when a client does not escape it.
		if i := strings.LastIndexByte(s, ' '); i > 0 {
			t, ok = parseTime(s[:i] + "+" + s[i+1:])
		}
	}
	if !ok {
		return cohort.TimeRange{}, false
	}
	t = t.UTC().Truncate(time.Second)
	return closed(cohort.TimeRange{From: t, Until: t.Add(time.Second)})
}

// closed refuses the spans around the beginning of year 1, whose ends would
// read as open.
func closed(s cohort.TimeRange) (cohort.TimeRange, bool) {
	return s, !s.From.IsZero() && !s.Until.IsZero()
}

// namedZones are the zones that RFC 2822 knows by name. The standard library
// takes a name that is not local for UTC.
var namedZones = map[string]string{
	"EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500",
	"MST": "-0700", "MDT": "-0600", "PST": "-0800", "PDT": "-0700",
}

func parseTime(s string) (time.Time, bool) {
	// An example in the vendor's reference has a colon behind the T.
	iso := strings.Replace(s, "T:", "T", 1)
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, iso); err == nil {
			return t, true
		}
	}
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		if offset, ok := namedZones[strings.ToUpper(s[i+1:])]; ok {
			s = s[:i+1] + offset
		}
	}
	t, err := mail.ParseDate(s)
	return t, err == nil
}
