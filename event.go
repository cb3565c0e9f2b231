package cohort

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// EventKind says what happened. The names are stable: clients filter by them.
type EventKind string

// The kinds of events.
const (
	GroupCreated    EventKind = "customerGroup.created"
	GroupUpdated    EventKind = "customerGroup.updated"
	GroupDeleted    EventKind = "customerGroup.deleted"
	MemberAdded     EventKind = "customerGroup.member.added"
	MemberRemoved   EventKind = "customerGroup.member.removed"
	CustomerCreated EventKind = "customer.created"
	CustomerUpdated EventKind = "customer.updated"
	CustomerDeleted EventKind = "customer.deleted"
	// StoreReplaced: a reset, a restore or a seed has replaced all that the store contains.
	// There are no events of the single changes of a reset or a restore.
	StoreReplaced EventKind = "store.replaced"
)

// EventKinds returns all kinds.
func EventKinds() []EventKind {
	return []EventKind{
		GroupCreated, GroupUpdated, GroupDeleted, MemberAdded, MemberRemoved,
		CustomerCreated, CustomerUpdated, CustomerDeleted, StoreReplaced,
	}
}

// ParseEventKind returns the kind with a name, or KindInvalid.
func ParseEventKind(name string) (EventKind, error) {
	if k := EventKind(name); slices.Contains(EventKinds(), k) {
		return k, nil
	}
	names := make([]string, 0, len(EventKinds()))
	for _, k := range EventKinds() {
		names = append(names, string(k))
	}
	return "", Invalid("", "The type of an event is one of "+strings.Join(names, ", ")+".")
}

// The actors of changes that no token made.
const (
	ActorCommandLine = "command line"
	ActorControl     = "control API"
)

// Event is a committed change of a store.
type Event struct {
	// Number grows in the store: an event that a reader sees later has a higher number
	// than every event that it has seen. Numbers may be left out.
	Number int64
	Kind   EventKind
	Date   time.Time // by the clock of the store, with milliseconds
	// GroupID and CustomerID are what the event is about; 0: nothing of that type.
	GroupID, CustomerID int64
	// Actor is the id of the token that made the change, ActorCommandLine or ActorControl.
	Actor     string
	RequestID string // "": the change was not made by a request
	// Changes is an object of the fields that changed: an array of the value before and
	// the value after, null where there is none. A field whose values are not kept, because
	// they are secret or too long, is null itself.
	Changes json.RawMessage
}

// EventFilter selects events.
type EventFilter struct {
	After int64       // only events with a higher number
	Kinds []EventKind // empty: all
}

// EventPage is a part of the events of a store, in the order of their numbers.
type EventPage struct {
	Events []Event
	// Next is the After of the next page. It may be higher than the number of the last
	// event: no event between them passes the filter.
	Next int64
	More bool // there are events after Next already
	// First and Last are the lowest and the highest number that the store has; 0: none.
	First, Last int64
	// Missed reports that events after EventFilter.After may have been deleted, because
	// they were too old or too many.
	Missed bool
}
