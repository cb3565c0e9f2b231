package cohort

import (
	"strings"
	"time"
)

// Segment is a set of shopper profiles, at which promotions are directed. It has no effect
// on prices and on access.
type Segment struct {
	ID           string // a UUID in lower case
	Number       int64  // counts from 1 within the store; lists are sorted by it
	Name         string // unique in the store
	Description  string
	DateCreated  time.Time
	DateModified time.Time
}

// ShopperProfile represents a customer in segments. A customer has at most one.
type ShopperProfile struct {
	ID           string // a UUID in lower case
	Number       int64  // counts from 1 within the store; lists are sorted by it
	CustomerID   int64
	DateCreated  time.Time
	DateModified time.Time
}

// Bounds of segments and shopper profiles. Source: the vendor's reference, except for
// MaxSegmentUUIDs and the lengths of the texts, for which it gives none.
const (
	MaxSegments           = 1000 // in a store
	MaxSegmentsWritten    = 10   // in one call
	MaxProfilesCreated    = 10   // in one call
	MaxProfilesAdded      = 50   // to a segment, in one call
	MaxSegmentUUIDs       = 250  // in an id:in filter
	MaxSegmentName        = 255  // code points
	MaxSegmentDescription = 1000 // code points
)

// SegmentUpdate creates a segment or changes one; nil fields are unchanged.
type SegmentUpdate struct {
	ID                string // "" for a new segment
	Name, Description *string
}

// Apply returns s with the update applied, normalized.
func (u SegmentUpdate) Apply(s Segment) Segment {
	set(&s.Name, u.Name)
	set(&s.Description, u.Description)
	return s.Normalized()
}

// IsEmpty reports whether the update changes nothing.
func (u SegmentUpdate) IsEmpty() bool { return u.Name == nil && u.Description == nil }

// Normalized returns the segment in its stored form, with the name trimmed.
func (s Segment) Normalized() Segment {
	s.Name = strings.TrimSpace(s.Name)
	return s
}

// Validate checks a normalized segment. It returns a KindInvalid error that names the
// invalid field.
func (s Segment) Validate() error {
	if err := checkText("name", s.Name, 1, MaxSegmentName); err != nil {
		return err
	}
	return checkText("description", s.Description, 0, MaxSegmentDescription)
}

// IsUUID reports whether a text is a UUID in the form of RFC 9562, of any version: 32
// hexadecimal digits in any case, in groups of 8, 4, 4, 4 and 12 with hyphens between
// them.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9':
		case c|0x20 < 'a' || c|0x20 > 'f':
			return false
		}
	}
	return true
}
