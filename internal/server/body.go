package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/limit"
)

const (
	// bodyTimeout is how long a body may take from the moment in which the server
	// begins to read it.
	bodyTimeout = 30 * time.Second
	// askAfter is how long a body may take before the limits are asked whether
	// they would refuse the request anyway. Most bodies come with the header.
	askAfter = 20 * time.Millisecond
)

// receive checks the formats of a request and reads its body into the entry. A
// body under way holds no place and uses up no quota: the limits decide when it
// is here, and come before what is wrong with it. But a request that they would
// refuse does not wait for its body: that is early.
func (e *endpoint) receive(entry *entry, q limit.Request) (early limit.Decision, wrong error) {
	r := entry.request
	if err := checkFormats(r); err != nil || !bearsBody(r.Method) || r.ContentLength == 0 {
		return early, err
	}
	entry.body.ration, entry.body.store = &e.server.bodies, q.Store
	w := e.watchBody(entry, q)
	wrong = entry.body.read(r.Body, r.ContentLength)
	early = w.end()
	entry.bodyLeft, entry.bodyFailed = wrong == nil, wrong != nil
	if errors.Is(wrong, errStoreBodies) && early.Refused == "" {
		early = e.server.limits.Peek(q) // for the quota's headers
		early.Refused, early.RetryAfter = refusedBodies, 1
	}
	if c := connOf(r.Context()); wrong != nil && c != nil && c.broken.Load() {
		entry.work.gone.Store(true)
	}
	return early, wrong
}

// bodyWatch looks at a body that is not there at once.
type bodyWatch struct {
	timer   *time.Timer
	mu      sync.Mutex
	over    bool
	refused limit.Decision
}

// watchBody begins to watch a body. If it is not there after askAfter, the
// limits are asked, and either cut it off or let it have its time.
func (e *endpoint) watchBody(entry *entry, q limit.Request) *bodyWatch {
	begun, w := time.Now(), &bodyWatch{}
	w.timer = time.AfterFunc(askAfter, func() {
		d := e.server.limits.Peek(q)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.over {
			return
		}
		deadline := begun.Add(bodyTimeout)
		if d.Refused != "" {
			w.refused, deadline = d, time.Unix(1, 0)
		}
		_ = http.NewResponseController(entry.ResponseWriter).SetReadDeadline(deadline) // without a network nothing is slow
	})
	return w
}

// end ends the watch and returns the refusal that it has met.
func (w *bodyWatch) end() limit.Decision {
	w.timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	return w.refused
}

// body is the body of one request, as it comes.
type body struct {
	bytes  []byte
	ration *ration
	store  string
	held   int // bytes of the ration
}

// read reads the body. announced is its length as the client says, or -1. It
// returns an HTTPError when the body is larger than api.MaxBody, comes too
// slowly or breaks off, and an error of the ration.
func (b *body) read(from io.Reader, announced int64) error {
	b.bytes = make([]byte, 0, firstRoom(announced))
	for {
		if len(b.bytes) == cap(b.bytes) {
			if err := b.grow(announced); err != nil {
				return err
			}
		}
		n, err := from.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case len(b.bytes) > api.MaxBody:
			return tooLarge()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return bodyError(err)
		}
	}
}

// firstRoom is the room for a body of which nothing has come. There is one byte
// more than announced, because the end is read behind the last one.
func firstRoom(announced int64) int {
	if announced < 0 {
		return 512
	}
	return int(min(announced, freeBody)) + 1
}

// grow makes room for four times as much, as far as so much can come.
func (b *body) grow(announced int64) error {
	room := min(4*cap(b.bytes), api.MaxBody+1)
	if announced >= int64(len(b.bytes)) {
		room = min(room, int(announced)+1)
	}
	if more := room - freeBody - 1 - b.held; more > 0 {
		if err := b.ration.take(b.store, more); err != nil {
			return err
		}
		b.held += more
	}
	b.bytes = append(make([]byte, 0, room), b.bytes...)
	return nil
}

// release gives back what the body held.
func (b *body) release() {
	if b.held > 0 {
		b.ration.giveBack(b.store, b.held)
	}
	b.bytes, b.held = nil, 0
}

func tooLarge() error {
	return &api.HTTPError{Status: http.StatusRequestEntityTooLarge, Message: "The request body is larger than 1 MiB."}
}

func bodyError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &api.HTTPError{Status: http.StatusRequestTimeout, Message: "The request body did not arrive in time."}
	}
	return &api.HTTPError{Status: http.StatusBadRequest, Message: "The request body broke off."}
}
