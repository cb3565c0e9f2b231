package server

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/journal"
)

// recording is what the journal needs of a running request. It is the ResponseWriter of
// the handler, above the compressor, so that it sees bodies as text. The methods of a nil
// recording do nothing.
type recording struct {
	http.ResponseWriter
	entry     *entry
	journal   *journal.Journal
	store     string          // its hash in the path; such a store need not exist
	ticket    int64           // 0: nothing was sent
	body      strings.Builder // the beginning of the response's
	size      int64
	sent      []byte // the request's body
	request   *api.Request
	unread    api.Unread
	secrets   []string // the fields that the operation says are secrets
	keepsBody bool
}

// recordings are those of requests that have ended.
var recordings = sync.Pool{New: func() any { return &recording{} }}

// record returns the ResponseWriter for the handler of a request: w itself if there is no
// journal, or if the path is not that of a store.
func (s *Server) record(w http.ResponseWriter, r *http.Request, e *entry) http.ResponseWriter {
	if s.journal == nil {
		return w
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/stores/")
	store, _ := cutSegment(rest)
	if !ok || !cohort.IsStoreHash(store) {
		return w
	}
	e.recording = recordings.Get().(*recording)
	*e.recording = recording{ResponseWriter: w, entry: e, journal: s.journal, store: store, keepsBody: r.Method != http.MethodHead}
	return e.recording
}

func (r *recording) WriteHeader(status int) {
	r.begin()
	r.ResponseWriter.WriteHeader(status)
}

func (r *recording) Write(b []byte) (int, error) {
	r.begin()
	r.size += int64(len(b))
	if free := journal.MaxText - r.body.Len(); free > 0 && r.keepsBody {
		r.body.Write(b[:min(len(b), free)]) // never fails
	}
	return r.ResponseWriter.Write(b)
}

// begin is called before the client gets the first byte of a response, or the end of the
// connection instead: a client that knows either finds its request in the journal.
func (r *recording) begin() {
	if r != nil && r.ticket == 0 {
		r.ticket = r.journal.Begin(r.store)
	}
}

// Unwrap is for http.ResponseController.
func (r *recording) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// receive keeps the request's body until the request has ended, without the fields that the
// operation says are secrets.
func (r *recording) receive(body []byte, secrets []string) {
	if r != nil {
		r.sent, r.secrets = body, secrets
	}
}

// watch makes a request tell which of its fields the handler ignores.
func (r *recording) watch(request *api.Request) {
	if r != nil {
		r.request, request.Unread = request, &r.unread
	}
}

// keep adds the request to the journal. took is how long it ran.
func (r *recording) keep(req *http.Request, took time.Duration, none *operation) {
	if r == nil {
		return
	}
	e := r.entry
	kept := &journal.Entry{
		Time: e.start, Duration: took, Method: req.Method, Path: req.URL.EscapedPath(), Query: journal.NewQuery(req.URL.RawQuery),
		Status: e.status, TokenID: e.token, RequestID: e.requestID[0], Check: e.refusedBy(none), Fault: e.fault, Unread: r.ignored(req),
	}
	kept.Request.Body = journal.NewRequestBody(r.sent, max(int64(len(r.sent)), req.ContentLength), r.secrets...)
	kept.Request.Header, kept.Response.Header = journal.NewHeaders(req.Header, e.Header())
	if e.operation != none {
		kept.Operation = e.operation.name
	}
	if r.keepsBody {
		kept.Response.Body = journal.NewResponseBody(r.body.String(), r.size, r.secrets...)
	}
	r.journal.Add(r.store, r.ticket, kept)
	e.recording = nil
	*r = recording{} // it must not keep the request
	recordings.Put(r)
}

// refusedBy returns the check that refused the request; "": none did.
func (e *entry) refusedBy(none *operation) journal.Check {
	switch {
	case e.check != "":
		return e.check
	case e.status != 0 && e.status < http.StatusBadRequest:
		return ""
	case e.operation == none:
		return journal.CheckRoute
	case e.fault != "":
		return journal.CheckFault
	}
	return journal.CheckOperation
}

// ignored returns what the client sent and the operation ignored. The server reads no
// bodies of GET, HEAD and DELETE.
func (r *recording) ignored(req *http.Request) []string {
	if r.request == nil {
		return nil
	}
	names := r.unread.Names(r.request, r.entry.status < http.StatusBadRequest)
	if !hasBody(req.Method) && req.ContentLength != 0 {
		names = append(names, "body")
	}
	return names
}
