package cohort

// EventSearch selects events of a store for people, who want the newest first.
type EventSearch struct {
	GroupID, CustomerID, ProductID int64       // 0: all
	Kinds                          []EventKind // empty: all
	Actor                          string      // the actor or the name of the actor; "": all
	Before                         int64       // only events with a lower number; 0: all
}

// FoundEvents is a part of the events that a search finds, the newest first.
type FoundEvents struct {
	Events []Event
	// Next is the Before of the next part; 0: there is none.
	Next int64
}
