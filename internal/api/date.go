package api

import (
	"net/mail"
	"strings"
	"time"

	"cohort.example/cohort"
)

// dateLayouts are the accepted date formats, without a zone and with a zone as in
// ISO 8601 and RFC 3339. The layouts with a space are those of V2 groups.
var dateLayouts = []string{
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05Z0700",
}

// ParseDate parses the date of a filter: ISO 8601 with or without time and zone,
// or RFC 2822. Without a zone it is UTC. It returns a range of one day for a date,
// and of one second for a time, because responses show times to the second.
func ParseDate(s string) (cohort.TimeRange, bool) {
	s = strings.TrimSpace(s)
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return bounded(cohort.TimeRange{From: day, Until: day.AddDate(0, 0, 1)})
	}
	t, ok := parseTime(s)
	if !ok {
		// An unescaped '+' in a query string arrives as a space.
		if i := strings.LastIndexByte(s, ' '); i > 0 {
			t, ok = parseTime(s[:i] + "+" + s[i+1:])
		}
	}
	if !ok {
		return cohort.TimeRange{}, false
	}
	t = t.UTC().Truncate(time.Second)
	return bounded(cohort.TimeRange{From: t, Until: t.Add(time.Second)})
}

// bounded rejects ranges that begin or end at the zero time, because a zero time
// in a TimeRange means an open end.
func bounded(r cohort.TimeRange) (cohort.TimeRange, bool) {
	return r, !r.From.IsZero() && !r.Until.IsZero()
}

// namedZones are the named zones of RFC 2822. The standard library reads a zone
// name as UTC unless it is the local zone.
var namedZones = map[string]string{
	"EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500",
	"MST": "-0700", "MDT": "-0600", "PST": "-0800", "PDT": "-0700",
}

func parseTime(s string) (time.Time, bool) {
	// An example in the vendor's reference has a colon after the T.
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
