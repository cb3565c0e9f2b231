package server

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/service"
)

// endpoint runs a route of a dialect: it checks token, store and scope, reads the
// body, checks the limits, and calls the route's handler.
type endpoint struct {
	server    *Server
	dialect   *api.Dialect
	route     api.Route
	operation *operation
}

// handle is the endpoint's handler.
func (e *endpoint) handle(w http.ResponseWriter, r *http.Request, entry *entry) {
	entry.ctx.waits = e.route.Waits || e.route.Streams
	e.guard(w, entry, func() error { return e.serve(w, r, entry) })
}

// guard serves a request, and sends the response for its error or its panic.
func (e *endpoint) guard(w http.ResponseWriter, entry *entry, serve func() error) {
	entry.operation = e.operation
	entry.ctx.writes = e.route.Method != http.MethodGet && !e.route.ReadOnly
	defer func() {
		if p := recover(); p != nil {
			e.panicked(w, entry, p)
		}
	}()
	err := serve()
	if err == nil {
		return
	}
	entry.err = interrupted(err)
	if entry.status != 0 {
		entry.broken = true
		panic(http.ErrAbortHandler) // cuts the connection, so that the client notices that the response is incomplete
	}
	e.writeFailure(w, entry, err)
}

// writeFailure sends the response for an error of the route's handler.
func (e *endpoint) writeFailure(w http.ResponseWriter, entry *entry, err error) {
	switch {
	case e.rejectFull(w, err):
		entry.err = nil
	case e.rejectTooMany(w, err):
		entry.err = nil
	case cohort.KindOf(err) == cohort.KindUnauthorized: // the token was revoked while the request ran
		writeStatusError(w, http.StatusUnauthorized, unauthorized)
	default:
		e.dialect.WriteError(w, entry.err)
	}
}

// serve runs the checks in the order of docs/wire.md, and then the handler. It
// returns errors that the dialect formats; it has written all other responses.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, entry *entry) error {
	if e.faultBeforeAuth(w, entry) {
		entry.check = journal.CheckFault
		return nil
	}
	entry.check = journal.CheckToken
	bearer, ok, err := e.authenticate(w, r, entry)
	entry.token = bearer.Token.ID
	if !ok {
		return err
	}
	entry.check = journal.CheckLimits
	store := bearer.Store
	entry.store = store.Hash
	limits := limitsOf(store, e.route, entry.path.ids)
	defer entry.body.release()
	early, wrong := e.receive(entry, limits)
	entry.recording.receive(entry.body.bytes, e.route.Secrets)
	if early.RejectedBy != "" {
		e.enforce(w, entry, limits, early)
		return nil
	}
	if errors.Is(wrong, errAllBodies) {
		entry.check = journal.CheckBody
		return wrong
	}
	hit, wrong := e.chooseFault(entry, store, limits, wrong)
	if throttles(hit) {
		entry.check = journal.CheckFault
		e.beginFault(entry, *hit)
		e.sendStatus(w, store, hit.Action)
		return nil
	}
	decision, done := e.server.limits.Admit(limits)
	defer done()
	if !e.enforce(w, entry, limits, decision) {
		return nil
	}
	if wrong != nil {
		entry.check = entry.checkOf(wrong)
		return wrong
	}
	entry.check = ""
	work, err := e.work(r, entry, bearer)
	if err != nil {
		return err
	}
	request := &api.Request{
		Request: r, Store: store, Client: bearer.Token.ID, IDs: entry.path.ids, Body: entry.body.bytes, Work: work, CountRate: e.counter(store),
		Stopping: e.server.patience.Done(),
	}
	entry.recording.watch(request)
	if entry.ctx.waits {
		entry.waitLonger()
	}
	return e.runFaulty(w, request, entry, hit)
}

// waitLonger removes the deadline for reading, which would otherwise look as if the client
// had left, and moves that for writing. The latter is for handlers that send one response;
// others set their own.
func (e *entry) waitLonger() {
	control := http.NewResponseController(e.ResponseWriter)
	_ = control.SetReadDeadline(time.Time{}) // fails only without a network connection, as the next one does
	_ = control.SetWriteDeadline(e.start.Add(2 * requestTimeout))
}

// work returns the context of the work for a request. That of a request that may change
// something says who makes the change.
func (e *endpoint) work(r *http.Request, entry *entry, b service.Bearer) (context.Context, error) {
	if e.route.Method == http.MethodGet {
		return &entry.ctx, nil
	}
	actorName, reason, err := api.ReadOrigin(r.Header)
	if err != nil {
		return nil, err
	}
	return service.WithExplanation(service.ForRequest(&entry.ctx, b, entry.requestID[0]), actorName, reason), nil
}

// The titles of the responses to an unknown token and to one without the scope.
const (
	unauthorized = "Unauthorized"
	forbidden    = "You don't have a required scope to access the endpoint"
)

// authenticate returns the bearer of the request's token. If ok is false, err is an
// error for the dialect, or nil if the response has been written.
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
	b, err = e.server.authenticate(&entry.ctx, entry.path.store, values[0], e.route.Scope)
	if err == nil {
		return b, true, nil
	}
	switch cohort.KindOf(err) {
	case cohort.KindUnauthorized:
		e.server.rejectUnknownToken(w, entry)
	case cohort.KindForbidden:
		entry.check = journal.CheckScope
		writeStatusError(w, http.StatusForbidden, forbidden)
	default:
		return b, false, err
	}
	return b, false, nil
}

// checkOf returns the check that an error of the formats or the body comes from.
func (e *entry) checkOf(wrong error) journal.Check {
	if e.fault != "" {
		return journal.CheckFault
	}
	if wrong, ok := errors.AsType[*api.HTTPError](wrong); ok && (wrong.Status == http.StatusNotAcceptable || wrong.Status == http.StatusUnsupportedMediaType) {
		return journal.CheckFormats
	}
	return journal.CheckBody
}

// checkFormats checks the Accept, Content-Type, Content-Encoding and Content-Length
// headers. A client of a stream knows its type without Accept.
func checkFormats(r *http.Request, streams bool) error {
	if !streams && !acceptsJSON(r.Header["Accept"]) {
		return &api.HTTPError{Status: http.StatusNotAcceptable, Message: "The answer can only be application/json, which the Accept header excludes."}
	}
	switch {
	case !hasBody(r.Method) || r.ContentLength == 0:
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

// isEncoded reports whether a Content-Encoding names a coding other than identity.
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

// isJSON reports whether a Content-Type is a JSON type or empty.
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

// panicked handles a panic of a handler: the response is 500, and the log has the
// stack.
func (e *endpoint) panicked(w http.ResponseWriter, entry *entry, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	entry.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	if entry.status != 0 {
		panic(http.ErrAbortHandler) // part of the response has been sent; see handle
	}
	e.dialect.WriteError(w, entry.err)
}
