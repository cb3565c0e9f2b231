package control

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort/internal/journal"
)

const (
	// heartbeat is the time between the comments that keep a stream open.
	heartbeat = 15 * time.Second
	// streamWriteTimeout is how long the client of a stream may take to receive a part.
	streamWriteTimeout = 10 * time.Second
)

// streamRequests sends requests as they end, as server-sent events. The stream ends when
// the client leaves, the store is deleted or the server shuts down, or after a limit.
func (a *API) streamRequests(w http.ResponseWriter, r *http.Request) error {
	j, store, err := a.journalOf(r)
	if err != nil {
		return err
	}
	q, err := a.readRequestQuery(r, listParams()[:6], math.MaxInt)
	if err != nil {
		return err
	}
	after := q.since
	if last, err := strconv.ParseInt(r.Header.Get("Last-Event-Id"), 10, 64); err == nil && last >= 0 {
		after = last // a browser that connects again
	}
	if after < 0 {
		after = math.MaxInt64 - 1 // only further requests
	}
	kept, subscription := j.Subscribe(store, after)
	defer j.Unsubscribe(store, subscription)
	waitLonger(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close") // its deadlines are not those of other requests
	s := &stream{w: w, control: http.NewResponseController(w), query: q}
	s.send(": the requests of " + store + "\n\n")
	for _, e := range kept {
		s.sendEntry(e)
	}
	s.follow(r, j, subscription)
	return nil
}

// stream is a running stream.
type stream struct {
	w       io.Writer
	control *http.ResponseController
	query   requestQuery
	sent    int
	broken  bool
}

// follow sends further entries until the stream ends.
func (s *stream) follow(r *http.Request, j *journal.Journal, subscription *journal.Subscription) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for !s.broken && s.sent < s.query.limit {
		select {
		case e, ok := <-subscription.C:
			if !ok {
				return
			}
			if n := j.Lost(subscription); n > 0 {
				s.send(fmt.Sprintf("event: lost\ndata: {\"count\":%d}\n\n", n))
			}
			s.sendEntry(e)
		case <-beat.C:
			s.send(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-j.Closed():
			return
		}
	}
}

func (s *stream) sendEntry(e *journal.Entry) {
	if s.sent < s.query.limit && s.query.Match(e) {
		s.sent++
		s.send(fmt.Sprintf("id: %d\nevent: request\ndata: %s\n\n", e.ID, encode(requestToWire(e))))
	}
}

// send sends a part of the stream at once.
func (s *stream) send(text string) {
	_ = s.control.SetWriteDeadline(time.Now().Add(streamWriteTimeout)) // fails only without a network connection
	_, err := io.WriteString(s.w, text)
	if err == nil {
		err = s.control.Flush()
	}
	s.broken = s.broken || err != nil
}
