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
// handler: token, store and scope, the body and its format, limits.
type endpoint struct {
	server    *Server
	dialect   *api.Dialect
	route     api.Route
	operation *operation
}

// handle is the endpoint's handler.
func (e *endpoint) handle(w http.ResponseWriter, r *http.Request, entry *entry) {
	entry.operation = e.operation
	entry.work.writes = e.route.Method != http.MethodGet && !e.route.ReadOnly
	defer func() {
		if p := recover(); p != nil {
			e.panicked(w, entry, p)
		}
	}()
	err := e.serve(w, r, entry)
	if err == nil {
		return
	}
	entry.err = interrupted(err)
	switch {
	case entry.status != 0:
		entry.broken = true
		panic(http.ErrAbortHandler) // by which the client sees that the answer is not whole
	case e.refuseFull(w, err):
		entry.err = nil
	case cohort.KindOf(err) == cohort.KindUnauthorized: // the token was revoked meanwhile
		refuse(w, http.StatusUnauthorized, unauthorized)
	default:
		e.dialect.WriteError(w, entry.err)
	}
}

// serve takes the request through the checks in the order that the wire
// contract gives. It returns the errors whose shape is the dialect's.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, entry *entry) error {
	bearer, ok, err := e.authenticate(w, r, entry)
	entry.token = bearer.Token.ID
	if !ok {
		return err
	}
	store := bearer.Store
	entry.store = store.Hash
	limits := limitsOf(store, e.route, entry.path.ids)
	defer entry.body.release()
	early, wrong := e.receive(entry, limits)
	if early.Refused != "" {
		e.obey(w, limits, early)
		return nil
	}
	if errors.Is(wrong, errCrowded) {
		return wrong
	}
	decision, done := e.server.limits.Admit(limits)
	defer done()
	if !e.obey(w, limits, decision) {
		return nil
	}
	if wrong != nil {
		return wrong
	}
	request := &api.Request{Request: r, Store: store, IDs: entry.path.ids, Body: entry.body.bytes, Work: &entry.work}
	if e.route.Method != http.MethodGet {
		request.Work = service.ForBearer(&entry.work, bearer)
	}
	return e.work(w, request)
}

// unauthorized is what is said to a token that is not known.
const unauthorized = "Unauthorized"

// authenticate returns the token of the request with the store that it may work
// on. Otherwise ok is false, and either it has answered or err says what is wrong.
func (e *endpoint) authenticate(w http.ResponseWriter, r *http.Request, entry *entry) (b service.Bearer, ok bool, err error) {
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
	b, err = e.server.authenticate(&entry.work, entry.path.store, values[0], e.route.Scope)
	if err == nil {
		return b, true, nil
	}
	switch cohort.KindOf(err) {
	case cohort.KindUnauthorized:
		e.server.refuseToken(w, entry)
	case cohort.KindForbidden:
		refuse(w, http.StatusForbidden, "You don't have a required scope to access the endpoint")
	default:
		return b, false, err
	}
	return b, false, nil
}

// checkFormats refuses a client that does not take JSON, or sends something else
// or too much.
func checkFormats(r *http.Request) error {
	if !acceptsJSON(r.Header["Accept"]) {
		return &api.HTTPError{Status: http.StatusNotAcceptable, Message: "The answer can only be application/json, which the Accept header excludes."}
	}
	switch {
	case !bearsBody(r.Method) || r.ContentLength == 0:
		return nil
	case !isJSON(r.Header.Get("Content-Type")):
		return &api.HTTPError{Status: http.StatusUnsupportedMediaType, Message: "The request body must be JSON; send Content-Type: application/json."}
	case isEncoded(r.Header["Content-Encoding"]):
		return &api.HTTPError{Status: http.StatusUnsupportedMediaType, Message: "The request body must not be compressed; send it without Content-Encoding."}
	case r.ContentLength > api.MaxBody:
		return tooLarge()
	}
	return nil
}

// isEncoded reports whether a Content-Encoding says more than that the body is
// as it is.
func isEncoded(values []string) bool {
	for _, value := range values {
		for coding := range strings.SplitSeq(value, ",") {
			if c := strings.TrimSpace(coding); c != "" && !strings.EqualFold(c, "identity") {
				return true
			}
		}
	}
	return false
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
