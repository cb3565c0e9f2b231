package api_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/google/go-cmp/cmp"
)

func TestParseDate(t *testing.T) {
	at := time.Date(2018, 9, 5, 13, 43, 54, 0, time.UTC)
	day := func(y int, m time.Month, d int) cohort.TimeRange {
		from := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		return cohort.TimeRange{From: from, Until: from.AddDate(0, 0, 1)}
	}
	second := func(t time.Time) cohort.TimeRange { return cohort.TimeRange{From: t, Until: t.Add(time.Second)} }
	tests := []struct {
		text string
		want cohort.TimeRange
	}{
		{"2018-09-05", day(2018, 9, 5)},
		{" 2018-09-05\n", day(2018, 9, 5)},
		{"2020-02-29", day(2020, 2, 29)},
		{"9999-12-31", day(9999, 12, 31)},

		{"2018-09-05T13:43:54", second(at)},
		{"2018-09-05T:13:43:54", second(at)}, // an example in the vendor's reference
		{"2018-09-05T13:43:54Z", second(at)},
		{"2018-09-05T13:43:54+00:00", second(at)},
		{"2018-09-05T13:43:54-0500", second(at.Add(5 * time.Hour))},
		{"2018-09-05T13:43:54+05:30", second(at.Add(-5*time.Hour - 30*time.Minute))},
		{"2018-09-05T13:43:54 05:30", second(at.Add(-5*time.Hour - 30*time.Minute))}, // unescaped '+'
		{"2018-09-05T13:43:54.999", second(at)},
		{"2018-09-05T13:43:54.999Z", second(at)},
		{"2018-09-05 13:43:54", second(at)}, // the format of V2 groups
		{"2018-09-05 13:43:54Z", second(at)},
		{"2018-09-05 13:43:54+0000", second(at)},
		{"2018-09-05 13:43:54 0000", second(at)},

		{"Wed, 05 Sep 2018 13:43:54 +0000", second(at)},
		{"Wed, 05 Sep 2018 13:43:54  0000", second(at)},
		{"Wed, 5 Sep 2018 13:43:54 GMT", second(at)},
		{"5 Sep 2018 13:43:54 -0500", second(at.Add(5 * time.Hour))},
		{"Wed, 05 Sep 2018 13:43:54 +0000 (UTC)", second(at)},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, ok := api.ParseDate(tt.text)
			if diff := cmp.Diff(tt.want, got); diff != "" || !ok {
				t.Errorf("ok %v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// RFC 2822 defines zone names of North America. The parser may reject them but must not
// read them as another time.
func TestParseDateObsoleteZones(t *testing.T) {
	for zone, hours := range map[string]int{"EST": 5, "EDT": 4, "CST": 6, "CDT": 5, "MST": 7, "MDT": 6, "PST": 8, "PDT": 7} {
		got, ok := api.ParseDate("Wed, 05 Sep 2018 13:43:54 " + zone)
		if want := time.Date(2018, 9, 5, 13+hours, 43, 54, 0, time.UTC); ok && !got.From.Equal(want) {
			t.Errorf("%s: got %v, want %v", zone, got.From, want)
		}
	}
}

// A zero time in a range means an open end, so no date may return one: a filter on the
// last second before the zero time must not match everything.
func TestParseDateHasNoOpenEnds(t *testing.T) {
	for _, text := range []string{
		"0001-01-01", "0001-01-01T00:00:00", "0000-12-31", "0000-12-31T23:59:59", "0001-01-01T00:59:59+01:00",
	} {
		if got, ok := api.ParseDate(text); ok && (got.From.IsZero() || got.Until.IsZero()) {
			t.Errorf("%s is the range from %v until %v", text, got.From, got.Until)
		}
	}
}

func TestParseDateRejects(t *testing.T) {
	for _, text := range []string{
		"", " ", "today", "2018", "2018-09", "2018-9-5", "18-09-05", "20180905", "05.09.2018", "09/05/2018",
		"2018-02-29", "2018-13-01", "2018-09-31", "2018-00-01", "12018-09-05", "-2018-09-05",
		"2018-09-05T", "2018-09-05T13", "2018-09-05T13:43", "2018-09-05T24:00:00", "2018-09-05T13:60:00", "2018-09-05T13:43:60",
		"2018-09-05T13:43:54+", "2018-09-05T13:43:54+25:00", "2018-09-05T13:43:54 Z", "2018-09-05T13:43:54Z Z",
		"1536155034", "null", "2018-09-05\x00", "２０１８-09-05", "Wed, 31 Feb 2018 13:43:54 +0000", "Wed, 05 Sep 2018",
	} {
		if got, ok := api.ParseDate(text); ok {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{
		"2018-09-05", "2018-09-05T13:43:54", "2018-09-05T:13:43:54Z", "2018-09-05T13:43:54 05:30", "2018-09-05 13:43:54.5-0500",
		"Wed, 05 Sep 2018 13:43:54 +0000", "5 Sep 18 13:43 GMT", "Wed, 05 Sep 2018 13:43:54 +0000 (a (b) c)", "", "0000-01-01", "9999-12-31T23:59:59-23:59",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := api.ParseDate(s)
		if !ok {
			return
		}
		if got.From.IsZero() || got.Until.IsZero() {
			t.Fatalf("%q: %v has an open end", s, got)
		}
		if got.From.Location() != time.UTC || got.Until.Location() != time.UTC {
			t.Fatalf("%q: %v is not UTC", s, got)
		}
		if length := got.Until.Sub(got.From); length != time.Second && length != 24*time.Hour {
			t.Fatalf("%q: the range is %v long", s, length)
		}
		if got.From.Nanosecond() != 0 || got.Until.Nanosecond() != 0 {
			t.Fatalf("%q: %v does not start at a whole second", s, got)
		}
		// The start of the range, formatted and parsed again, is the same time.
		again, ok := api.ParseDate(got.From.Format(time.RFC3339))
		if got.From.Year() >= 1 && got.From.Year() <= 9999 && (!ok || !again.From.Equal(got.From)) {
			t.Fatalf("%q: %v is parsed as %v, %v", s, got.From, again.From, ok)
		}
	})
}
