package console

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort/internal/journal"
)

const (
	// maxStreams is how many lists of requests are live at the same time.
	maxStreams = 16
	// streamBeat is the time between the comments that keep a stream open.
	streamBeat = 15 * time.Second
	// streamPatience is how long the browser may take to receive a part of a stream.
	streamPatience = 10 * time.Second
)

// streamRequests sends the rows of further requests as server-sent events, until the browser
// leaves, the store is deleted or the server stops.
func (c *call) streamRequests() error {
	filter := c.readRequestFilter()
	criteria, err := filter.criteria()
	if err != nil {
		return err
	}
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	default:
		return &statusError{http.StatusTooManyRequests, "Too many lists of requests are live. Close one of the other pages."}
	}
	after, err := strconv.ParseInt(c.query("since"), 10, 64)
	if err != nil {
		after = 0
	}
	if last, err := strconv.ParseInt(c.r.Header.Get("Last-Event-Id"), 10, 64); err == nil {
		after = last // a browser that connects again
	}
	kept, subscription := c.Tests.Journal.Subscribe(c.store.Hash, after)
	defer c.Tests.Journal.Unsubscribe(c.store.Hash, subscription)
	s := newRowStream(c.w)
	s.send(": requests\n\n")
	send := func(e *journal.Entry) {
		if criteria.Match(e) && filter.passes(e) {
			s.sendRow(c.newRow(e))
		}
	}
	for _, e := range kept {
		send(e)
	}
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for !s.broken {
		select {
		case e, ok := <-subscription.C:
			if !ok {
				return nil
			}
			if n := c.Tests.Journal.Lost(subscription); n > 0 {
				s.send(fmt.Sprintf("event: lost\ndata: %d\n\n", n))
			}
			send(e)
		case <-beat.C:
			s.send(": still here\n\n")
		case <-c.r.Context().Done():
			return nil
		case <-c.Tests.Journal.Closed():
			return nil
		}
	}
	return nil
}

// rowStream sends server-sent events. After a failure it sends nothing.
type rowStream struct {
	w       io.Writer
	control *http.ResponseController
	broken  bool
}

func newRowStream(w http.ResponseWriter) *rowStream {
	s := &rowStream{w: w, control: http.NewResponseController(w)}
	_ = s.control.SetReadDeadline(time.Time{}) // fails only without a network connection
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Connection", "close") // its deadlines are not those of other requests
	return s
}

func (s *rowStream) sendRow(row requestRow) {
	text, err := json.Marshal(row)
	if err != nil {
		s.broken = true
		return
	}
	s.send(fmt.Sprintf("id: %d\ndata: %s\n\n", row.ID, text))
}

// send sends a part at once.
func (s *rowStream) send(text string) {
	if s.broken {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(streamPatience)) // fails only without a network connection
	_, err := io.WriteString(s.w, text)
	if err == nil {
		err = s.control.Flush()
	}
	s.broken = err != nil
}
