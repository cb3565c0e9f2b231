package server

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// drainTimeout is how long a response to a request with an unread body waits
	// for the rest of a small body, so that the connection can be reused.
	drainTimeout = 10 * time.Millisecond
	// maxDrain is how many bytes a small body has at most.
	maxDrain = 64 << 10
)

// WriteHeader sends the header of a response.
func (e *entry) WriteHeader(status int) {
	e.finishBody()
	e.recorder.WriteHeader(status)
}

func (e *entry) Write(b []byte) (int, error) {
	e.finishBody()
	return e.recorder.Write(b)
}

// finishBody keeps a response from waiting for the rest of an unread body: net/http
// would read up to 256 KiB of it before it sends the header. If the body does not
// end in time, the connection is closed after the response, because its rest must
// not be parsed as the next request.
//
// HTTP/2 does not need this, since each request has its own stream.
func (e *entry) finishBody() {
	if e.bodyFinished {
		return
	}
	e.bodyFinished = true
	r := e.request
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody || r.ProtoMajor != 1 {
		return
	}
	control := http.NewResponseController(e.ResponseWriter)
	if e.drainBody(control) {
		return
	}
	e.Header()["Connection"] = []string{"close"}
	deadline := time.Now().Add(lingerTimeout) // net/http reads on until then
	if c := connOf(r.Context()); c != nil {
		c.lingers.Store(true) // conn.Close reads on, after the response has been sent
		deadline = time.Unix(1, 0)
	}
	_ = control.SetReadDeadline(deadline) // fails only without a network connection
}

// watchedBody tells the entry of its request that the body has been read to its end. A
// deadline for reading would then hit net/http, which waits for the client to leave, and
// cancel the contexts of this and all further requests of the connection.
type watchedBody struct {
	io.ReadCloser
	entry *entry
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.entry.bodyFinished = true
	}
	return n, err
}

// drainBody reads a small body to its end. It reports whether it has reached the
// end in time.
func (e *entry) drainBody(control *http.ResponseController) bool {
	if e.bodyFailed || e.request.ContentLength > maxDrain || expectsContinue(e.request) {
		return false
	}
	_ = control.SetReadDeadline(time.Now().Add(drainTimeout)) // fails only without a network connection
	_, err := io.CopyN(io.Discard, e.request.Body, maxDrain+1)
	if !errors.Is(err, io.EOF) {
		return false
	}
	_ = control.SetReadDeadline(time.Time{}) // as above
	return true
}

// expectsContinue reports whether the client waits for 100 Continue before it sends
// its body. Reading the body would send it.
func expectsContinue(r *http.Request) bool {
	return strings.EqualFold(strings.TrimSpace(r.Header.Get("Expect")), "100-continue")
}
