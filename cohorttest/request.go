package cohorttest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/journal"
)

// Requests are the requests that a store has had: the last 1 000. The server keeps those
// of 256 stores, and 16 MiB of all. Tokens, passwords and the like are "***".
type Requests struct {
	server *Server
	store  string
}

// Requests returns the requests to the store with a hash.
func (s *Server) Requests(store string) Requests { return Requests{s, store} }

// Request is a request and its response.
type Request struct {
	ID        int64 // in the order in which the requests ended
	Time      time.Time
	Duration  time.Duration
	Method    string
	Path      string // escaped, with the store
	Query     string
	Operation string // its name in the OpenAPI document; "": no operation has this path and method
	Status    int    // 0: the connection was cut before a response
	Fault     string // the id of the rule that took it, "header" if it asked for a fault; "": none
	// Unread names what the client sent and the operation ignored, such as body.id.
	Unread []string
	Header http.Header
	Body   string // at most 64 KiB of it
	// ResponseHeader and ResponseBody are what the server sent. A response that a fault
	// slowed down or broke off has no ResponseBody.
	ResponseHeader http.Header
	ResponseBody   string // at most 64 KiB of it
}

// List returns the requests, oldest first.
func (r Requests) List(t testing.TB) []Request {
	t.Helper()
	return r.Find(t, "{}")
}

// Find returns the requests that match, oldest first. The criteria are JSON, as
// docs/testing.md describes them:
//
//	c.Requests(store).Find(t, `{"operation":"createGroup","body":{"name":"Wholesale"}}`)
func (r Requests) Find(t testing.TB, criteria string) []Request {
	t.Helper()
	entries := r.find(t, criteria)
	list := make([]Request, len(entries))
	for i, e := range entries {
		list[i] = requestOf(e)
	}
	return list
}

// Count returns how many requests match. See [Requests.Find].
func (r Requests) Count(t testing.TB, criteria string) int {
	t.Helper()
	return len(r.find(t, criteria))
}

// Clear forgets the requests.
func (r Requests) Clear(t testing.TB) {
	t.Helper()
	r.server.journal.Clear(t.Context(), r.server.store(t, r.store).Hash)
}

func (r Requests) find(t testing.TB, text string) []*journal.Entry {
	t.Helper()
	criteria := r.criteria(t, text)
	return r.server.journal.Find(t.Context(), r.server.store(t, r.store).Hash, 0, criteria)
}

// criteria decodes criteria. A mistake in them fails the test, because they would match
// nothing, or too much.
func (r Requests) criteria(t testing.TB, text string) *journal.Criteria {
	t.Helper()
	criteria := &journal.Criteria{}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(criteria)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one JSON value")
		}
	}
	if err == nil {
		err = control.CheckCriteria(r.server.dialects, "", criteria)
	}
	if err != nil {
		t.Fatalf("criteria %s: %v", text, err)
	}
	return criteria
}

func requestOf(e *journal.Entry) Request {
	return Request{
		ID: e.ID, Time: e.Time, Duration: e.Duration, Method: e.Method, Path: e.Path, Query: e.Query, Operation: e.Operation,
		Status: e.Status, Fault: e.Fault, Unread: e.Unread,
		Header: headerOf(e.Request), Body: e.Request.Body.Text,
		ResponseHeader: headerOf(e.Response), ResponseBody: e.Response.Body.Text,
	}
}

func headerOf(m journal.Message) http.Header {
	header := http.Header{}
	for _, h := range m.Header {
		header.Add(h.Name, h.Value)
	}
	return header
}

// Verify fails the test unless as many requests match as expected. See [Requests.Find]
// for the criteria. The failure names the requests that come nearest, and what is
// different about them. Verify returns whether the expectation holds; the test continues.
func (r Requests) Verify(t testing.TB, criteria string, want Expectation) bool {
	t.Helper()
	c := r.criteria(t, criteria)
	result := r.server.journal.Verify(t.Context(), r.server.store(t, r.store).Hash, c, want.journal())
	if !result.OK {
		t.Error(failure(criteria, want, result))
	}
	return result.OK
}
