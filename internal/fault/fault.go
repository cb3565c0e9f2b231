// Package fault makes chosen requests fail in chosen ways, for people who test how their
// integration handles it. Rules belong to a store, and select requests by operation,
// method, path, query, header and body. The package decides which rule applies to a
// request; the server carries it out.
package fault

import (
	"encoding/json"
	"net/http"
	"time"
)

// Kind is what happens to a request.
type Kind string

// The kinds of actions.
const (
	KindDelay    Kind = ""         // only the rule's delay; the response is that of the server
	KindStatus   Kind = "status"   // a response with another status, in the form of the dialect
	KindTimeout  Kind = "timeout"  // no response, until the client gives up
	KindReset    Kind = "reset"    // the connection is reset
	KindEmpty    Kind = "empty"    // the connection is closed without a response
	KindTruncate Kind = "truncate" // half of the response, then the connection is closed
	KindSlow     Kind = "slow"     // the response in small pieces
)

// Action is what a rule does.
type Action struct {
	Kind   Kind
	Status int // of KindStatus
	// Title replaces the text of the response to a status, and Errors its errors by field.
	Title  string
	Errors map[string]string
	// RetryAfter is the seconds that a 429 tells the client to wait; 0: 1.
	RetryAfter int
	Duration   time.Duration // of KindSlow
	// Commit is whether the request is processed first, and only its response replaced.
	Commit bool
}

// Partial reports whether the server does the request except for a part, and says so with
// a 207.
func (a Action) Partial() bool { return a.Kind == KindStatus && a.Status == http.StatusMultiStatus }

// Processes reports whether the server processes the request.
func (a Action) Processes() bool {
	switch a.Kind {
	case KindDelay, KindTruncate, KindSlow:
		return true
	case KindStatus, KindTimeout, KindReset, KindEmpty:
	}
	return a.Commit || a.Partial()
}

// Match selects requests by their content. All of its parts must match.
type Match struct {
	Query  map[string]string // by the name of a parameter
	Header map[string]string // by the name of a header
	Body   json.RawMessage   // a part of the body: objects may have further members; nil: any
}

// Rule selects requests of a store, and says what happens to them.
type Rule struct {
	Operation string // its name in the OpenAPI document; "": all
	Method    string // GET includes HEAD; "": all
	// Path is a pattern for the path after the store, such as /v2/customers/*. A star
	// stands for any characters. "": all.
	Path  string
	Match Match
	// Of the requests that match, the rule leaves out the first Skip, and then takes every
	// Every-th (0 and 1: each one), with Probability, at most Times (0: no end).
	Skip, Every, Times int
	Probability        *float64 // from 0 to 1; nil: 1
	Seed               *uint64  // of the random numbers for Probability and Jitter; nil: 0
	// Delay is how long the server waits first, plus up to Jitter.
	Delay, Jitter time.Duration
	// BeforeAuth is whether the rule applies before the token is checked. Such a rule
	// cannot see the body.
	BeforeAuth bool
	Action     Action
}

// Request is what rules see of a request.
type Request struct {
	Operation, Method string
	Path              string // after the store, such as /v2/customers/7
	HTTP              *http.Request
	Body              []byte
}

// Hit is a rule that applies to a request.
type Hit struct {
	Rule  int64 // its id
	Delay time.Duration
	Action
}
