package server

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// endpoint is a route of a dialect with everything that stands before its
// handler: token, store and scope, limits, the formats of bodies.
type endpoint struct {
	server    *Server
	dialect   *api.Dialect
	route     api.Route
	operation *operation
}

// handle is the endpoint's handler.
func (e *endpoint) handle(w http.ResponseWriter, r *http.Request, entry *entry) {
	entry.operation = e.operation
	defer func() {
		if p := recover(); p != nil {
			e.panicked(w, entry, p)
		}
	}()
	if err := e.serve(w, r, entry); err != nil {
		entry.err = err
		e.dialect.WriteError(w, err)
	}
}

// serve takes the request through the checks in the order that the wire
// contract gives. It returns the errors whose shape is the dialect's.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, entry *entry) error {
	bearer, ok, err := e.authenticate(w, r, entry.path.store)
	if !ok {
		return err
	}
	store := bearer.Store
	entry.store = store.Hash
	admitted, done := admit(e.server.limits, w.Header(), store, e.route, entry.path.ids)
	defer done()
	if admitted.Refused != "" {
		e.server.metrics.refused.WithLabelValues(admitted.Refused).Inc()
		refuseTooMany(w, admitted.RetryAfter)
		return nil
	}
	if err := checkFormats(r); err != nil {
		return err
	}
	if e.route.Method != http.MethodGet {
		r = r.WithContext(service.ForStore(r.Context(), store.Hash))
	}
	return e.route.Handle(w, &api.Request{Request: r, Store: store, IDs: entry.path.ids})
}

// authenticate returns the token of the request with the store that it may work
// on. Otherwise ok is false, and either it has answered or err says what is wrong.
func (e *endpoint) authenticate(w http.ResponseWriter, r *http.Request, hash string) (b service.Bearer, ok bool, err error) {
	const header = "X-Auth-Token"
	values := r.Header.Values(header)
	switch {
	case len(values) == 0:
		api.WriteText(w, http.StatusUnauthorized, header+" header is required")
		return b, false, nil
	case strings.TrimSpace(values[0]) == "":
		api.WriteText(w, http.StatusUnauthorized, header+" header should have correct format")
		return b, false, nil
	}
	b, err = e.server.authenticate(r.Context(), hash, values[0], e.route.Scope)
	if err == nil {
		return b, true, nil
	}
	switch cohort.KindOf(err) {
	case cohort.KindUnauthorized:
		refuse(w, http.StatusUnauthorized, "Unauthorized")
	case cohort.KindForbidden:
		refuse(w, http.StatusForbidden, "You don't have a required scope to access the endpoint")
	default:
		return b, false, err
	}
	return b, false, nil
}

// checkFormats refuses a client that does not take JSON, or sends something else.
func checkFormats(r *http.Request) error {
	if !acceptsJSON(r.Header["Accept"]) {
		return &api.HTTPError{Status: http.StatusNotAcceptable, Message: "The answer can only be application/json, which the Accept header excludes."}
	}
	if bearsBody(r.Method) && r.ContentLength != 0 && !isJSON(r.Header.Get("Content-Type")) {
		return &api.HTTPError{Status: http.StatusUnsupportedMediaType, Message: "The request body must be JSON; send Content-Type: application/json."}
	}
	return nil
}

// isJSON reports whether a Content-Type is a JSON type, or missing.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && mediaType == "" {
		return false
	}
	return mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// panicked answers for a handler that panicked: 500, with the rest in the log.
func (e *endpoint) panicked(w http.ResponseWriter, entry *entry, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	entry.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	if entry.status != 0 {
		// The answer is under way and cannot be taken back; cutting the
		// connection tells the client that it is not whole.
		panic(http.ErrAbortHandler)
	}
	e.dialect.WriteError(w, entry.err)
}
