package cohort

import (
	"fmt"
	"regexp"
	"time"
)

// zoneName matches the names of zones in the IANA database. It leaves out "Local", and
// the copies of the database that some systems have under names in lower case.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}$`)

// loadZone returns the zone with a name of the IANA database.
func loadZone(name string) (*time.Location, error) {
	if name == "Local" || !zoneName.MatchString(name) {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return time.LoadLocation(name)
}

func checkTimezone(name string) error {
	if name == "" {
		return nil
	}
	if _, err := loadZone(name); err != nil {
		return Invalid("timezone", "A time zone is a name of the IANA database, such as America/Chicago.")
	}
	return nil
}

// ZoneOffsets are the offsets of a time zone from UTC, in seconds, positive to the east.
type ZoneOffsets struct {
	Standard int
	Summer   int // equal to Standard if the clocks do not change
}

// ClocksChange reports whether the zone has daylight saving time.
func (o ZoneOffsets) ClocksChange() bool { return o.Standard != o.Summer }

// Offsets returns the offsets of the profile's time zone for a moment. Clocks that change
// once more and then never again do not have daylight saving time: the zone moves to
// another standard time. If the node's database lacks the zone, the error is not for the
// client.
func (p StoreProfile) Offsets(at time.Time) (ZoneOffsets, error) {
	zone, err := loadZone(p.Timezone)
	if err != nil {
		return ZoneOffsets{}, err
	}
	local := at.In(zone)
	_, now := local.Zone()
	offsets := ZoneOffsets{now, now}
	_, change := local.ZoneBounds()
	if change.IsZero() {
		return offsets, nil
	}
	if _, back := change.ZoneBounds(); back.IsZero() {
		return offsets, nil
	}
	// Some zones define their winter as the exception, so the lower offset is taken for
	// the standard time, and not the one that the database calls so.
	_, next := change.Zone()
	return ZoneOffsets{min(now, next), max(now, next)}, nil
}
