package client

import "time"

// TimeRange selects by a date. Zero times do not bound it. Both ends are included, to the
// second.
type TimeRange struct {
	From  time.Time `query:":min"`
	Until time.Time `query:":max"`
}
