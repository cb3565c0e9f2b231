package cohort

import "time"

// EventSubject is the group or the customer whose events a caller wants; 0: all.
type EventSubject struct {
	GroupID, CustomerID int64
	// WithoutMembers leaves out the events of the members of a group.
	WithoutMembers bool
}

// GroupAsOf is a group as it was at a time. Its dates are not known.
type GroupAsOf struct {
	Group
	Members     int64
	Assignments []PriceListAssignment // by id
	// Unknown are the fields, as events name them, whose values no event has kept.
	Unknown []string
	// Number is that of the last event of the group until then; 0: it is not kept.
	Number int64
	// Since is the time since when the events of the store are complete.
	Since time.Time
}

// Membership says in which group a customer was at a time.
type Membership struct {
	CustomerID int64
	GroupID    int64  // 0: in none
	Change     *Event // with which this began; nil: it is older than the events
	// Since is the time since when the events of the store are complete.
	Since time.Time
}
