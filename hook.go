package cohort

import "time"

// Bounds of hooks. MaxHooksPerScope is the vendor's; it gives none of the others.
const (
	MaxHooksPerScope   = 10     // of one token
	MaxHooks           = 10_000 // in a store
	MaxHookDestination = 2048   // bytes
	MaxHookHeaders     = 20
	MaxHookHeaderBytes = 4096 // of all names and values of a hook together
	MaxHookEmails      = 20   // of one token
)

// Hook is a webhook: it tells a destination of events.
type Hook struct {
	ID int64
	// ClientID is the id of the token that created the hook. Other tokens do not see it.
	ClientID    string
	Scope       string // the events to tell, such as "store/customer/*"
	Destination string // a URL
	Active      bool
	// Deactivated says that Cohort has set Active to false, after its destination failed for
	// too long.
	Deactivated bool
	Headers     map[string]string // to send along; nil: none were given
	DateCreated time.Time
	// DateModified is when the hook was last changed.
	DateModified time.Time
}

// HookStatus is what the owner of a hook is told about it.
type HookStatus string

// The statuses of hooks.
const (
	HookActive      HookStatus = "active"
	HookInactive    HookStatus = "inactive"
	HookDeactivated HookStatus = "deactivated" // by Cohort
)

// Status returns the status of the hook.
func (h Hook) Status() HookStatus {
	switch {
	case h.Active:
		return HookActive
	case h.Deactivated:
		return HookDeactivated
	}
	return HookInactive
}

// HookUpdate creates a hook or changes one; nil fields are unchanged.
type HookUpdate struct {
	Scope, Destination *string
	Active             *bool
	Headers            *map[string]string // a nil map: none
}

// IsEmpty reports whether the update changes nothing.
func (u HookUpdate) IsEmpty() bool { return u == HookUpdate{} }

// Apply returns h with the update applied, normalized. A hook that its owner makes active or
// inactive is not deactivated any more.
func (u HookUpdate) Apply(h Hook) Hook {
	set(&h.Scope, u.Scope)
	set(&h.Destination, u.Destination)
	set(&h.Headers, u.Headers)
	if u.Active != nil {
		h.Active, h.Deactivated = *u.Active, false
	}
	return h.Normalized()
}

// HookFilter selects hooks; zero fields select all.
type HookFilter struct {
	ClientID           string // only those of this token
	Active             *bool
	Scope, Destination *string // exactly
}

// HookBlock is a destination to which nothing is delivered for some minutes.
type HookBlock struct {
	ClientID string // of the hooks that it concerns
	Domain   string
	Until    time.Time // by the clock of the store
	Reasons  []HookBlockReason
}

// HookBlockReason is a kind of failures that a block is for.
type HookBlockReason struct {
	Description string
	Count       int
	Date        time.Time // of the last one
}

// DeliveryFilter selects deliveries of a hook.
type DeliveryFilter struct {
	HookID int64
	After  int64         // only those with a higher id
	State  DeliveryState // "": any
}

// DeliveryState is what has become of a delivery.
type DeliveryState string

// The states of deliveries.
const (
	DeliveryWaiting   DeliveryState = "waiting" // for its next attempt
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // no more attempts are made
)

// HookDelivery is one message of a hook to its destination, with its last attempt.
type HookDelivery struct {
	ID          int64
	HookID      int64
	EventNumber int64  // of the first event that it tells; 0: it tells none
	Subject     string // deliveries of a hook about one subject are in order
	Scope       string // such as "store/customer/created"
	Body        string // JSON
	State       DeliveryState
	Attempt     int       // how many were made
	NextAttempt time.Time // by the clock of the store; zero: none
	Status      int       // of the last response; 0: none
	// RequestHeader is the header of the last attempt, without signatures.
	RequestHeader map[string]string
	Response      string // the beginning of the body of the last response
	Error         string // why the last attempt failed; "": it did not
	Duration      time.Duration
	DateCreated   time.Time
	DateModified  time.Time
}
