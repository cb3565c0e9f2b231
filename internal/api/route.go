// Package api holds what the dialects of the HTTP API share: the route table, the
// parsing of bodies and queries, and the writing of responses. It has no texts of
// a single dialect.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// Handler serves one request. It writes a response and returns nil, or writes
// nothing and returns an error, which the dialect turns into a response.
type Handler func(w http.ResponseWriter, r *Request) error

// Route is one row of a dialect's route table.
type Route struct {
	// Operation names the route in logs, metrics and the OpenAPI document.
	Operation string
	Method    string // GET includes HEAD
	// Path follows the dialect's prefix. Wildcards whose name ends in "uuid" match a
	// UUID only, others whose name ends in "id", such as "{id}", digits only, and all
	// others letters only.
	Path string
	// Scope is the scope that the token needs; empty means that any token is accepted.
	Scope cohort.Scope
	// Concurrency is how many requests of one store may run together on this
	// operation, unless the store has a limit of its own; 0 means no limit.
	Concurrency int
	// ConcurrencyGroup names the concurrency limit that several operations share;
	// empty means that this operation has its own.
	ConcurrencyGroup string
	// PerMinute is the rate limit of the operation.
	PerMinute Rate
	// ReadOnly marks an operation that changes nothing although its method is not
	// GET. The server cancels a read when its client disconnects.
	ReadOnly bool
	// Expensive marks an operation that uses much CPU time. The process limits how
	// many of these run at the same time.
	Expensive bool
	// Waits marks a read that waits for something to happen. The handler bounds its time,
	// and ends when Request.Stopping is closed.
	Waits bool
	// Streams marks an operation that Waits and whose response is not JSON, or is sent in
	// parts that must not be held back.
	Streams bool
	// Secrets are fields of bodies whose values the journal hides, besides those whose names
	// say that they are secrets. Of a body that is not JSON it keeps nothing.
	Secrets []string
	Handle  Handler
}

// CountedAs returns the name under which the concurrency limit counts requests.
func (r Route) CountedAs() string { return cmp.Or(r.ConcurrencyGroup, r.Operation) }

// Creates reports whether the operation may create a resource, so that a repeated request
// would create another one. The server accepts an idempotency key for it.
func (r Route) Creates() bool {
	return r.Method == http.MethodPost && !r.ReadOnly && !strings.HasPrefix(r.Operation, "validate")
}

// Dialect is one version of the API: its prefix, its routes and its errors.
type Dialect struct {
	Prefix string // follows "/stores/{store_hash}", such as "/v2"
	Routes []Route
	// Canonical rewrites the part of a path after the prefix to the form of the
	// routes, for dialects that accept several forms.
	Canonical func(path string) string
	// WriteError sends the response for an error and returns its status.
	WriteError func(w http.ResponseWriter, err error) (status int)
	// WriteStatus sends an error with a status of 400 or more that the dialect chooses
	// nothing of but the form. An empty title means the dialect's own text. errs has
	// sentences by field, and may be nil.
	WriteStatus func(w http.ResponseWriter, status int, title string, errs map[string]string)
	// WrongMethod sends the response for a path of the routes and a method that neither
	// they nor the vendor have for it. It returns false, and sends nothing, if the path
	// has the response of an unknown path. Nil means that all paths have.
	WrongMethod func(w http.ResponseWriter, path string) bool
	// Run does what the dialect does in the background, until ctx ends. Nil: nothing.
	Run func(ctx context.Context, log *slog.Logger)
}

// Request is a request that passed the checks of route, token, scope, formats and
// limits.
type Request struct {
	*http.Request
	Store cohort.Store
	// Client is the id of the request's token.
	Client string
	IDs    IDs
	// Body is the whole body of a POST or PUT, at most MaxBody bytes. It shadows the
	// body of the http.Request, which the server has already read.
	Body []byte
	// Work is the context of the work for the request; nil means the context of the
	// http.Request, which ends as soon as the client closes its sending side.
	Work context.Context
	// CountRate implements Count; nil counts nothing.
	CountRate func(limit SharedRate, subject string) error
	// Unread collects what the operation ignores; nil: nothing asks.
	Unread *Unread
	// Stopping is closed when the server is about to stop; nil: never.
	Stopping <-chan struct{}
	// Settled is set by a handler that returns a KindPartial error. It writes the response
	// for the case that what the error names is done after all.
	Settled func(w http.ResponseWriter) error
}

// Context returns the context of the work for the request.
func (r *Request) Context() context.Context {
	if r.Work == nil {
		return r.Request.Context()
	}
	return r.Work
}

// IDs are the values of the wildcards of a path, in the order of the path: ids as
// digits without leading zeros, UUIDs in lower case, words as they were sent. Unused elements have no
// name. No path has more than three wildcards.
type IDs [3]struct{ Name, Text string }

// PathValue returns the value of a wildcard, or "" if the path does not have it.
func (r *Request) PathValue(name string) string {
	for _, id := range r.IDs {
		if id.Name == name {
			return id.Text
		}
	}
	return ""
}

// ID returns an id from the path, or KindNotFound if it does not fit into an int64.
func (r *Request) ID(name string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, cohort.NotFound(name)
	}
	return id, nil
}

// BaseURL returns the URL of the store as the client addressed it. A proxy that
// terminates TLS sets X-Forwarded-Proto.
func (r *Request) BaseURL() string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/stores/" + r.Store.Hash
}

// StatusType is the value of "type" in the vendor's error responses.
const StatusType = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"

// HTTPError rejects a request for a reason of HTTP, such as its method or format.
type HTTPError struct {
	Status  int
	Message string
}

func (e *HTTPError) Error() string { return e.Message }
