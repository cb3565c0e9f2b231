package server

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// spareTime is how long an answer to a request whose body nobody has read
	// waits for the rest of a small one, so as to keep the connection.
	spareTime = 10 * time.Millisecond
	// maxSpared is how many bytes a body may have for that.
	maxSpared = 64 << 10
)

// WriteHeader sends an answer's header.
func (e *entry) WriteHeader(status int) {
	e.leaveBody()
	e.recorder.WriteHeader(status)
}

func (e *entry) Write(b []byte) (int, error) {
	e.leaveBody()
	return e.recorder.Write(b)
}

// leaveBody sees to it that an answer does not wait for the rest of a body which
// nobody has read. Left to itself, net/http reads up to 256 KiB of it before it
// sends a header. A connection on which a body is still under way is closed
// behind the answer: its rest must not be taken for the next request.
//
// HTTP/2 needs nothing of that, since a stream is not the connection.
func (e *entry) leaveBody() {
	if e.bodyLeft {
		return
	}
	e.bodyLeft = true
	r := e.request
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody || r.ProtoMajor != 1 {
		return
	}
	control := http.NewResponseController(e.ResponseWriter)
	if e.bodyIsHere(control) {
		return
	}
	e.Header()["Connection"] = []string{"close"}
	deadline := time.Now().Add(lingerTimeout) // for net/http to read on
	if c := connOf(r.Context()); c != nil {
		c.lingers.Store(true) // which does so behind the end of the answer
		deadline = time.Unix(1, 0)
	}
	_ = control.SetReadDeadline(deadline) // an error means that there is no network
}

// bodyIsHere reads a small body to its end, if that is here.
func (e *entry) bodyIsHere(control *http.ResponseController) bool {
	if e.bodyFailed || e.request.ContentLength > maxSpared || expectsContinue(e.request) {
		return false
	}
	_ = control.SetReadDeadline(time.Now().Add(spareTime)) // an error means that there is no network
	_, err := io.CopyN(io.Discard, e.request.Body, maxSpared+1)
	return errors.Is(err, io.EOF)
}

// expectsContinue reports whether the client waits until its body is asked for.
// To read is to ask for it.
func expectsContinue(r *http.Request) bool {
	return strings.EqualFold(strings.TrimSpace(r.Header.Get("Expect")), "100-continue")
}
