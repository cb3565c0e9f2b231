package server

import (
	"cmp"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/service"
)

// headerFault is the log's name of a fault that the request itself has asked for. Others
// have the id of their rule.
const headerFault = "header"

// faultBeforeAuth carries out the rule that applies to a request whose token has not been
// checked, if there is one. It reports whether the request is done.
func (e *endpoint) faultBeforeAuth(w http.ResponseWriter, entry *entry) (done bool) {
	if !e.server.faults.InUse() {
		return false
	}
	hit, ok := e.server.faults.TakeBeforeAuth(entry.path.store, e.faultRequest(entry))
	if !ok {
		return false
	}
	e.beginFault(entry, hit)
	if hit.Kind == fault.KindDelay {
		return false
	}
	e.sendFault(w, entry, cohort.Store{Plan: cohort.PlanUnlimited}, hit.Action)
	return true
}

// chooseFault returns the fault for a request that has passed the checks of token and
// formats, or nil. wrong is the error of the formats and the body, and chooseFault returns
// it, or that of the request's own fault. A request that the limits reject has no fault.
func (e *endpoint) chooseFault(entry *entry, store cohort.Store, q limit.Request, wrong error) (*fault.Hit, error) {
	asked := e.server.askedFault(entry.request)
	if wrong != nil || asked == "" && !e.server.faults.Has(store.Key) || e.server.limits.Check(q).RejectedBy != "" {
		return nil, wrong
	}
	if asked == "" {
		if hit, ok := e.server.faults.Take(store.Key, e.faultRequest(entry)); ok {
			return &hit, nil
		}
		return nil, nil
	}
	name := e.route.Operation
	known := fault.Operations{name: {Method: e.route.Method, Path: e.dialect.Prefix + e.route.Path, ReadOnly: e.route.ReadOnly}}
	action, err := known.ParseHeader(name, asked)
	if wrong, ok := errors.AsType[*fault.RuleError](err); ok {
		e.beginFault(entry, fault.Hit{})
		return nil, &api.HTTPError{Status: http.StatusBadRequest, Message: "The header " + fault.Header + " cannot be used. " + wrong.Reason}
	}
	return &fault.Hit{Action: action}, nil
}

// askedFault returns the fault that a request asks for, or "".
func (s *Server) askedFault(r *http.Request) string {
	if !s.faultHeader {
		return ""
	}
	return strings.TrimSpace(r.Header.Get(fault.Header))
}

// faultRequest returns a request as rules see it.
func (e *endpoint) faultRequest(entry *entry) fault.Request {
	r := entry.request
	_, prefix, rest, _ := e.server.routes.split(strings.TrimSuffix(r.URL.Path, "/"))
	return fault.Request{Operation: e.route.Operation, Method: e.route.Method, Path: "/" + strings.Trim(prefix, "/") + rest, HTTP: r, Body: entry.body.bytes}
}

// throttles reports whether a fault is a 429 of the limits, which come before the counters.
func throttles(hit *fault.Hit) bool {
	return hit != nil && hit.Kind == fault.KindStatus && hit.Status == http.StatusTooManyRequests && !hit.Commit
}

// beginFault marks the response and waits for the delay of the rule.
func (e *endpoint) beginFault(entry *entry, hit fault.Hit) {
	entry.fault = headerFault
	if hit.Rule > 0 {
		entry.fault = strconv.FormatInt(hit.Rule, 10)
	}
	entry.Header()[fault.Header] = []string{entry.fault}
	e.server.pause(entry, hit.Delay)
}

// pause waits, but not longer than the client does. It ends when the server is about to
// stop.
func (s *Server) pause(entry *entry, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-entry.request.Context().Done():
	case <-s.patience.Done():
	}
}

// runFaulty is run with a fault, or without one if hit is nil.
func (e *endpoint) runFaulty(w http.ResponseWriter, r *api.Request, entry *entry, hit *fault.Hit) error {
	if hit == nil {
		return e.run(w, r, entry)
	}
	e.beginFault(entry, *hit)
	switch {
	case hit.Kind == fault.KindDelay:
		return e.run(w, r, entry)
	case hit.Partial():
		r.Work = service.WithHeldSitewide(r.Context())
		return e.run(w, r, entry)
	case !hit.Processes():
		e.sendFault(w, entry, r.Store, hit.Action)
		return nil
	}
	answer := &heldResponse{header: maps.Clone(entry.Header())}
	if hit.Kind == fault.KindSlow {
		answer.overflow = func() http.ResponseWriter {
			e.server.pause(entry, hit.Duration)
			return entry
		}
	}
	if err := e.run(answer, r, entry); err != nil {
		entry.err = interrupted(err)
		e.writeFailure(answer, entry, err)
	}
	switch hit.Kind {
	case fault.KindTruncate:
		e.sendHalf(entry, answer)
	case fault.KindSlow:
		e.sendSlowly(entry, answer, hit.Duration)
	case fault.KindDelay, fault.KindStatus, fault.KindTimeout, fault.KindReset, fault.KindEmpty:
		e.sendFault(w, entry, r.Store, hit.Action)
	}
	return nil
}

// sendFault responds in the way of an action that needs no response of the handler.
func (e *endpoint) sendFault(w http.ResponseWriter, entry *entry, store cohort.Store, a fault.Action) {
	switch a.Kind {
	case fault.KindStatus:
		e.sendStatus(w, store, a)
	case fault.KindTimeout:
		e.server.pause(entry, requestTimeout-time.Since(entry.start))
		disconnect(entry, false)
	case fault.KindReset:
		disconnect(entry, true)
	case fault.KindEmpty:
		disconnect(entry, false)
	case fault.KindDelay, fault.KindTruncate, fault.KindSlow: // need the response
	}
}

// sendStatus responds with a status in the form that the route gives it.
func (e *endpoint) sendStatus(w http.ResponseWriter, store cohort.Store, a fault.Action) {
	switch a.Status {
	case http.StatusUnauthorized:
		writeStatusError(w, a.Status, cmp.Or(a.Title, unauthorized))
	case http.StatusForbidden:
		writeStatusError(w, a.Status, cmp.Or(a.Title, forbidden))
	case http.StatusTooManyRequests:
		seconds := cmp.Or(a.RetryAfter, 1)
		quota, metered := store.RequestQuota()
		if !metered { // clients expect the headers of a store with a plan
			quota, _ = cohort.Store{Plan: cohort.PlanStandard}.RequestQuota()
		}
		setQuotaHeaders(w.Header(), limit.Usage{Limit: quota, Reset: time.Duration(seconds) * time.Second})
		w.Header().Set("X-Retry-After", strconv.Itoa(seconds))
		writeStatusError(w, a.Status, cmp.Or(a.Title, tooManyRequests))
	default:
		e.dialect.WriteStatus(w, a.Status, a.Title, a.Errors)
	}
}

// disconnect closes the connection of a request without a response, or with HTTP/2 ends the
// stream. A reset is RST in TCP: the client's read fails, and does not just end.
func disconnect(entry *entry, reset bool) {
	entry.recording.begin()
	if entry.request.ProtoMajor == 1 {
		if c, _, err := http.NewResponseController(entry.ResponseWriter).Hijack(); err == nil {
			closeConn(c, reset, !entry.bodyFinished)
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// closeConn closes a connection. Without a reset it reads what the client is still
// sending, because TCP would otherwise reset the connection.
func closeConn(c net.Conn, reset, unread bool) {
	if !reset {
		if ours, ok := rawConn(c).(*conn); ok && unread {
			ours.lingers.Store(true)
		}
		_ = c.Close() // the client sees the end of the connection either way
		return
	}
	raw := rawConn(c)
	if ours, ok := raw.(*conn); ok {
		raw = ours.Conn
	}
	if tcp, ok := raw.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0) // fails only if the connection is closed
	}
	_ = raw.Close()
}

// rawConn returns the connection below TLS.
func rawConn(c net.Conn) net.Conn {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		return secure.NetConn()
	}
	return c
}

// maxRecorded is how many bytes of a response are kept to send them slowly or in part.
const maxRecorded = 1 << 20

// heldResponse keeps a response instead of sending it.
type heldResponse struct {
	header http.Header
	status int
	body   []byte // at most maxRecorded
	length int64  // of the whole body
	// overflow returns where a response that is larger than maxRecorded goes; nil: nowhere.
	overflow func() http.ResponseWriter
	direct   http.ResponseWriter // nil: overflow has not been called
}

func (r *heldResponse) Header() http.Header { return r.header }

func (r *heldResponse) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
}

func (r *heldResponse) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	r.length += int64(len(b))
	switch {
	case r.direct != nil:
		return r.direct.Write(b)
	case len(r.body)+len(b) <= maxRecorded:
		r.body = append(r.body, b...)
		return len(b), nil
	case r.overflow == nil:
		r.body = append(r.body, b[:maxRecorded-len(r.body)]...)
		return len(b), nil
	}
	r.direct = r.overflow()
	r.copyHeader(r.direct)
	r.direct.WriteHeader(r.status)
	if _, err := r.direct.Write(r.body); err != nil {
		return 0, err
	}
	return r.direct.Write(b)
}

// copyHeader sets the headers of the response.
func (r *heldResponse) copyHeader(w http.ResponseWriter) {
	clear(w.Header())
	maps.Copy(w.Header(), r.header)
}

// hasBody reports whether the response has a body to send.
func (r *heldResponse) hasBody(request *http.Request) bool {
	return r.length > 0 && request.Method != http.MethodHead
}

// sendHalf announces the whole response, sends half of it, and closes the connection. A
// response without a body has no half, so the client gets nothing.
func (e *endpoint) sendHalf(entry *entry, answer *heldResponse) {
	if !answer.hasBody(entry.request) {
		disconnect(entry, false)
		return
	}
	answer.copyHeader(entry)
	entry.Header().Set("Content-Length", strconv.FormatInt(answer.length, 10))
	entry.recording.begin()
	entry.WriteHeader(answer.status)
	half := min(int64(len(answer.body)), answer.length/2)
	_, _ = entry.Write(answer.body[:half])                       // a write fails when the client has disconnected
	_ = http.NewResponseController(entry.ResponseWriter).Flush() // as does this
	panic(http.ErrAbortHandler)                                  // closes the connection
}

// slowPieces is how many pieces a slow response has at most.
const slowPieces = 20

// sendSlowly sends a response in pieces, so that the last one comes after a time.
func (e *endpoint) sendSlowly(entry *entry, answer *heldResponse, total time.Duration) {
	if answer.direct != nil {
		return // it was too large to keep, and has been sent after the time
	}
	entry.recording.begin()
	answer.copyHeader(entry)
	if !answer.hasBody(entry.request) {
		e.server.pause(entry, total)
		entry.WriteHeader(cmp.Or(answer.status, http.StatusOK))
		return
	}
	entry.Header().Set("Content-Length", strconv.FormatInt(answer.length, 10))
	entry.WriteHeader(answer.status)
	size := (len(answer.body) + slowPieces - 1) / slowPieces
	pieces := slices.Collect(slices.Chunk(answer.body, size))
	for _, piece := range pieces {
		_ = http.NewResponseController(entry.ResponseWriter).Flush() // fails when the client has disconnected
		e.server.pause(entry, total/time.Duration(len(pieces)))
		if _, err := entry.Write(piece); err != nil {
			return
		}
	}
}
