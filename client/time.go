package client

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// maxTimeBytes is the length of a date in a response, in bytes.
const maxTimeBytes = 64

// timeForms are the forms of dates in responses: of groups, of V2 customers, and of V3.
var timeForms = []string{
	time.DateTime,
	time.RFC1123Z,
	"Mon, _2 Jan 2006 15:04:05 -0700",
	time.RFC3339Nano,
	"2006-01-02T15:04:05Z0700",
	time.DateOnly,
}

// Time is the time of a date in a response, in UTC. The API has dates in three forms, and
// all are accepted. It is the zero time if there is no date.
type Time struct{ time.Time }

// ParseTime reads a date such as "2023-07-17 06:30:41", "Mon, 17 Jul 2023 06:30:41 +0000"
// or "2023-07-17T06:30:41Z". Without a zone it is in UTC.
func ParseTime(text string) (Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Time{}, nil
	}
	if len(text) > maxTimeBytes {
		return Time{}, fmt.Errorf("a date of %d bytes is too long", len(text))
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return Time{t.UTC()}, nil
		}
	}
	return Time{}, fmt.Errorf("%q is not a date", text)
}

// MarshalJSON implements [json.Marshaler]: RFC 3339, and null for the zero time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.Format(time.RFC3339Nano))
}

// UnmarshalJSON implements [json.Unmarshaler]. null and "" are the zero time.
func (t *Time) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s == nil {
		*t = Time{}
		return nil
	}
	var err error
	*t, err = ParseTime(*s)
	return err
}
