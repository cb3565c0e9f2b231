package cohort

import "time"

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
