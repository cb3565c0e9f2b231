package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/stub"
	"cohort.example/cohort/internal/upstream"
)

// answeredBy is the header of responses that Cohort does not make itself. Its value is one of
// those below, which the journal has as the operation.
const answeredBy = "X-Cohort-Answered-By"

// elsewhere answers a request to a path that Cohort has no route for, if it can.
type elsewhere struct {
	server   *Server
	upstream *upstream.Proxy // nil: none
	stub     *stub.Stub      // nil: none
	passed   *operation      // of requests that go to the upstream
	stubbed  *operation      // of requests that the stub answers
}

func (s *Server) newElsewhere(o Options) *elsewhere {
	if o.Upstream == nil && o.Stub == nil {
		return nil
	}
	return &elsewhere{
		server: s, upstream: o.Upstream, stub: o.Stub,
		passed: s.metrics.operation(journal.ByUpstream), stubbed: s.metrics.operation(journal.ByStub),
	}
}

// serve reports whether it has answered a request. A nil elsewhere answers none.
func (x *elsewhere) serve(w http.ResponseWriter, r *http.Request, e *entry) bool {
	if x == nil {
		return false
	}
	store, dialect := x.server.routes.vendorPath(r)
	switch {
	case dialect != nil && x.upstream.Has(store):
		e.path.store = store
		ep := &endpoint{x.server, dialect, api.Route{Method: r.Method}, x.passed}
		ep.guard(w, e, func() error { return x.pass(w, r, e, ep) })
		return true
	case x.stub != nil:
		return x.answer(w, r, e, store, dialect)
	}
	return false
}

// answer reports whether the stub has answered a request. In a store, it checks the token of
// the request.
func (x *elsewhere) answer(w http.ResponseWriter, r *http.Request, e *entry, store string, dialect *api.Dialect) bool {
	answer := x.stub.Find(r.Method, r.URL.Path)
	if answer == nil || dialect == nil && strings.HasPrefix(r.URL.Path, "/stores/") {
		return false
	}
	if dialect == nil {
		e.operation = x.stubbed
		writeStub(w, answer)
		return true
	}
	e.path.store = store
	ep := &endpoint{x.server, dialect, api.Route{Method: r.Method}, x.stubbed}
	ep.guard(w, e, func() error {
		e.check = journal.CheckToken
		bearer, ok, err := ep.authenticate(w, r, e)
		if e.token = bearer.Token.ID; !ok {
			return err
		}
		e.check = ""
		if _, err := receivePassed(w, r, e); err != nil {
			return err
		}
		writeStub(w, answer)
		return nil
	})
	return true
}

func writeStub(w http.ResponseWriter, a *stub.Answer) {
	w.Header().Set(answeredBy, journal.ByStub)
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client may have gone
}

// vendorPath returns the store of a path and its dialect, nil if the path is not below /v2 or
// /v3 of a store, or is written in a way that another server could take for another path.
func (rt *router) vendorPath(r *http.Request) (store string, d *api.Dialect) {
	path := r.URL.Path
	if !strings.HasPrefix(path, "/stores/") || strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2f") || strings.Contains(path, `\`) {
		return "", nil
	}
	if slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return "", nil
	}
	store, prefix, _, t := rt.split(path)
	if t == nil || prefix != "/v2" && prefix != "/v3" {
		return "", nil
	}
	return store, t.Dialect
}

// pass checks the token of a request, and passes the request on.
func (x *elsewhere) pass(w http.ResponseWriter, r *http.Request, e *entry, ep *endpoint) error {
	e.check = journal.CheckToken
	bearer, ok, err := ep.authenticate(w, r, e)
	e.token = bearer.Token.ID
	if !ok {
		return err
	}
	e.check = journal.CheckScope
	if !x.upstream.Allows(r.Method) {
		writeStatusError(w, http.StatusForbidden, "Only GET and HEAD are passed on, unless the server was started with --upstream-allow-writes")
		return nil
	}
	if inURL(r, r.Header.Get("X-Auth-Token")) {
		writeStatusError(w, http.StatusForbidden, "The URL has the token, so the request is not passed on")
		return nil
	}
	e.check = ""
	body, err := receivePassed(w, r, e)
	if err != nil {
		return err
	}
	r = r.WithContext(&e.ctx)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	e.waitLonger()
	w.Header().Set(answeredBy, journal.ByUpstream)
	x.upstream.Serve(w, r, e.path.store)
	return nil
}

// receivePassed reads the body of a request to a path without a route, for the journal too.
func receivePassed(w http.ResponseWriter, r *http.Request, e *entry) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, &watchedBody{r.Body, e}, upstream.MaxPassed))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &api.HTTPError{Status: http.StatusRequestEntityTooLarge, Message: "The request body is larger than 8 MiB."}
	}
	if err != nil {
		return nil, bodyError(err)
	}
	// A real store may answer with a secret, as no operation of Cohort does.
	e.recording.receive(body, []string{"token"})
	return body, nil
}

// inURL reports whether a secret is in the path or the query of a request.
func inURL(r *http.Request, secret string) bool {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	return strings.Contains(r.RequestURI, secret) || strings.Contains(r.URL.Path, secret) || err == nil && strings.Contains(query, secret)
}
