// Package api is what the wire dialects share: the route table, the reading of
// bodies and queries, and the writing of answers. It knows no dialect's texts.
package api

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
)

// Handler answers one request. It writes an answer and returns nil, or writes
// nothing and returns an error, which the dialect turns into an answer.
type Handler func(w http.ResponseWriter, r *Request) error

// Route is a row of a dialect's route table.
type Route struct {
	// Operation names the route in logs, metrics and the OpenAPI document.
	Operation string
	Method    string // GET stands for HEAD too
	// Path follows the dialect's prefix. "{id}" and other wildcards whose name
	// ends in "id" match digits only, all others letters only.
	Path string
	// Scope is what the token must have; empty means that any token will do.
	Scope cohort.Scope
	// Concurrency is how many requests a store may have under way here together,
	// unless the store has a figure of its own; 0 means no limit.
	Concurrency int
	// Gate names the at-once limit for operations that share one; empty means that
	// this operation has its own.
	ConcurrencyGroup string
	// PerMinute bounds how often the operation may be called.
	PerMinute Rate
	// ReadOnly marks an operation that changes nothing although its method is not
	// GET. Work that only reads ends when its client is gone.
	ReadOnly bool
	// Expensive is whether the operation takes a processor for long, so that the
	// whole process limits how many of its kind run at once.
	Expensive bool
	Handle    Handler
}

// Rate is how many calls a minute an operation takes: to one path, and in one
// store. The zero value means no limit.
type Rate struct{ PerPath, PerStore int }

// Dialect is one version of the API: its place, its routes and its errors.
type Dialect struct {
	Prefix string // follows "/stores/{store_hash}", such as "/v2"
	Routes []Route
	// Canonical rewrites the part of a path behind the prefix to the form that
	// the routes have, for dialects that accept several.
	Canonical func(path string) string
	// WriteError answers with an error and returns the status.
	WriteError func(w http.ResponseWriter, err error) (status int)
}

// Request is a request that passed route, token, scope, formats and limits.
type Request struct {
	*http.Request
	Store cohort.Store
	IDs   IDs
	// Body is the whole body of a POST or PUT, at most MaxBody bytes. It hides the
	// body of the http.Request, which the server has read.
	Body []byte
	// Work is the context of what is done for the request; nil stands for the
	// context of the http.Request, which ends as soon as the client sends nothing
	// more.
	Work context.Context
}

// Context returns the context of what is done for the request.
func (r *Request) Context() context.Context {
	if r.Work == nil {
		return r.Request.Context()
	}
	return r.Work
}

// IDs are what stands in a path for its wildcards, in the order of the path: ids
// as digits without zeros in front, words as they were sent. Places that are left
// have no name. No path has more than three.
type IDs [3]struct{ Name, Text string }

// PathValue returns what stands for a wildcard, or "" if the path does not have
// it.
func (r *Request) PathValue(name string) string {
	for _, id := range r.IDs {
		if id.Name == name {
			return id.Text
		}
	}
	return ""
}

// ID returns an id from the path, or KindNotFound when no id can be that large.
func (r *Request) ID(name string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, cohort.NotFound(name)
	}
	return id, nil
}

// BaseURL returns the URL of the store by which the client reached it. A proxy
// that adds TLS says so in X-Forwarded-Proto.
func (r *Request) BaseURL() string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/stores/" + r.Store.Hash
}

// StatusType is what the vendor's answers say in "type".
const StatusType = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"

// HTTPError is a refusal that has to do with HTTP and not with the product.
type HTTPError struct {
	Status  int
	Message string
}

func (e *HTTPError) Error() string { return e.Message }
