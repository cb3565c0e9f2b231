// Package exchange has recordings: files of requests to a store and its responses, without
// secrets and without personal data. Only a Writer makes them, from a Raw exchange, and it
// replaces before it writes.
package exchange

import (
	"net/http"
	"time"
)

// Raw is a request and its response as they were on the network.
type Raw struct {
	Time          time.Time
	Duration      time.Duration
	Method        string
	Path          string // escaped, with the store: /stores/HASH/v2/…
	Query         string
	Status        int
	RequestHeader http.Header
	Header        http.Header // of the response
	RequestBody   RawBody
	Body          RawBody // of the response
}

// RawBody is the body of a message.
type RawBody struct {
	Text []byte
	Size int64 // of the whole body, in bytes; more than Text has if the body is cut
}

// MaxBody is how many bytes of a body a recording has. A longer body is left out, with its
// size: a part of it is not JSON, so nothing could say what it contains.
const MaxBody = 1 << 20

// Exchange is one line of a recording.
type Exchange struct {
	ID         int       `json:"id"` // from 1
	Date       time.Time `json:"date"`
	DurationMS float64   `json:"duration_ms"`
	Method     string    `json:"method"`
	Path       string    `json:"path"` // after the store: /v2/customer_groups
	Query      string    `json:"query"`
	// Altered says that the request has fakes: it was another one on the network.
	Altered  bool    `json:"altered"`
	Request  Message `json:"request"`
	Status   int     `json:"status"`
	Response Message `json:"response"`
}

// Message is the head and the body of a request or of a response.
type Message struct {
	Header map[string]string `json:"header"` // by canonical name; only those that say something about the API
	Body   Body              `json:"body"`
}

// Body is a body: JSON, or a text of the API itself.
type Body struct {
	JSON *Value `json:"json,omitempty"`
	Text string `json:"text,omitempty"`
	Size int64  `json:"size"`               // in bytes, on the network
	Left string `json:"left_out,omitempty"` // why there is neither JSON nor text: "too large" or "not JSON"
}

// The reasons for which a body is left out.
const (
	LeftLarge   = "too large"
	LeftNotJSON = "not JSON"
)

// Reads reports whether the request only reads.
func (e *Exchange) Reads() bool { return e.Method == "GET" || e.Method == "HEAD" }

// Target returns the path with the query, after the store.
func (e *Exchange) Target() string {
	if e.Query == "" {
		return e.Path
	}
	return e.Path + "?" + e.Query
}
