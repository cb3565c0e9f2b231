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
	// bodyTimeout is how long a body may take to arrive, from when the server starts
	// to read it.
	bodyTimeout = 30 * time.Second
	// limitCheckDelay is how long the server reads a body before it checks whether
	// the limits would reject the request anyway. Most bodies arrive with the header.
	limitCheckDelay = 20 * time.Millisecond
)

// receive checks the formats of a request and reads its body into the entry. While
// the body arrives, the request holds no concurrency slot and uses up no quota:
// the limits decide after the body has arrived, and before any error of the body is
// reported. If the limits would reject the request while its body arrives, receive
// returns that decision early.
func (e *endpoint) receive(entry *entry, q limit.Request) (early limit.Decision, wrong error) {
	r := entry.request
	if err := checkFormats(r, e.route.Streams); err != nil || !hasBody(r.Method) || r.ContentLength == 0 {
		return early, err
	}
	entry.body.budget, entry.body.store = &e.server.bodies, q.Store
	w := e.watchBody(entry, q)
	wrong = entry.body.read(r.Body, r.ContentLength)
	early = w.end()
	entry.bodyFinished, entry.bodyFailed = wrong == nil, wrong != nil
	if errors.Is(wrong, errStoreBodies) && early.RejectedBy == "" {
		early = e.server.limits.Check(q) // for the quota headers
		early.RejectedBy, early.RetryAfter = bodiesLimit, 1
	}
	if c := connOf(r.Context()); wrong != nil && c != nil && c.broken.Load() {
		entry.ctx.gone.Store(true)
	}
	return early, wrong
}

// bodyWatch checks the limits while a slow body arrives.
type bodyWatch struct {
	timer    *time.Timer
	mu       sync.Mutex
	ended    bool
	rejected limit.Decision
}

// watchBody starts to watch a body. If the body has not arrived after
// limitCheckDelay, the limits are checked: reading ends at once if they would reject
// the request, and after bodyTimeout otherwise.
func (e *endpoint) watchBody(entry *entry, q limit.Request) *bodyWatch {
	begun, w := time.Now(), &bodyWatch{}
	w.timer = time.AfterFunc(limitCheckDelay, func() {
		d := e.server.limits.Check(q)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ended {
			return
		}
		deadline := begun.Add(bodyTimeout)
		if d.RejectedBy != "" {
			w.rejected, deadline = d, time.Unix(1, 0)
		}
		_ = http.NewResponseController(entry.ResponseWriter).SetReadDeadline(deadline) // fails only without a network connection
	})
	return w
}

// end ends the watch. It returns the decision that rejected the request, if any.
func (w *bodyWatch) end() limit.Decision {
	w.timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	return w.rejected
}

// body is the body of one request.
type body struct {
	bytes  []byte
	budget *bodyBudget
	store  string
	held   int // bytes of the budget
}

// read reads the body. announced is its Content-Length, or -1. It returns an
// HTTPError if the body is larger than api.MaxBody, arrives too slowly or breaks
// off, and the errors of bodyBudget.
func (b *body) read(from io.Reader, announced int64) error {
	b.bytes = make([]byte, 0, initialSize(announced))
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

// initialSize is the size of the buffer before anything has arrived. It has one byte
// more than announced, so that the read that returns io.EOF needs no larger buffer.
func initialSize(announced int64) int {
	if announced < 0 {
		return 512
	}
	return int(min(announced, uncountedBody)) + 1
}

// grow makes the buffer four times as large, up to the length that the body can
// have.
func (b *body) grow(announced int64) error {
	size := min(4*cap(b.bytes), api.MaxBody+1)
	if announced >= int64(len(b.bytes)) {
		size = min(size, int(announced)+1)
	}
	if more := size - uncountedBody - 1 - b.held; more > 0 {
		if err := b.budget.reserve(b.store, more); err != nil {
			return err
		}
		b.held += more
	}
	b.bytes = append(make([]byte, 0, size), b.bytes...)
	return nil
}

// release frees the buffer.
func (b *body) release() {
	if b.held > 0 {
		b.budget.release(b.store, b.held)
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
