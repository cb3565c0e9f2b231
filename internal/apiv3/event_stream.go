package apiv3

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

const (
	// maxEventWait is how long a request waits for an event.
	maxEventWait = 60 * time.Second
	// maxFollowers is how many requests of a store wait for events or stream them, and
	// maxAllFollowers how many of all stores, in one process.
	maxFollowers    = 100
	maxAllFollowers = 1000
	// eventHeartbeat is the time between the comments that keep a stream open.
	eventHeartbeat = 15 * time.Second
	// eventTokenCheck is how often a stream looks whether its token is still valid.
	eventTokenCheck = 2 * time.Second
	// eventWriteTimeout is how long the client of a stream may take to receive a part.
	eventWriteTimeout = 10 * time.Second
	// eventReadTimeout bounds the reading of a page.
	eventReadTimeout = 30 * time.Second
	// followersLimit is the name of the limit in metrics.
	followersLimit = "event_followers"
)

// followers counts the requests that wait for events.
type followers struct {
	mu    sync.Mutex
	all   int
	store map[string]int // by key
}

// enter returns a TooManyError if too many wait already. The caller calls leave in the end.
func (f *followers) enter(storeKey string) (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all >= maxAllFollowers || f.store[storeKey] >= maxFollowers {
		return nil, &api.TooManyError{Limit: followersLimit, RetryAfter: 1}
	}
	f.all++
	f.store[storeKey]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all--
		if f.store[storeKey]--; f.store[storeKey] == 0 {
			delete(f.store, storeKey)
		}
	}, nil
}

// readEvents reads a page, and waits for an event if the client wants that.
func (h *handler) readEvents(r *api.Request, q eventQuery) (cohort.EventPage, error) {
	ctx, cancel := context.WithTimeout(r.Context(), q.wait+eventReadTimeout)
	defer cancel()
	if q.wait == 0 || r.Method == http.MethodHead {
		return h.svc.Events(ctx, r.Store.Key, q.filter, q.limit)
	}
	leave, err := h.followers.enter(r.Store.Key)
	if err != nil {
		return cohort.EventPage{}, err
	}
	defer leave()
	return h.svc.AwaitEvents(ctx, r.Store.Key, q.filter, q.limit, q.wait, r.Stopping)
}

// streamEvents sends events as server-sent events. The stream ends when the client leaves,
// the token is revoked or the server is about to stop.
func (h *handler) streamEvents(w http.ResponseWriter, r *api.Request) error {
	q, err := readEventQuery(r, "after", "type")
	if err != nil {
		return err
	}
	if last := r.Header.Get("Last-Event-Id"); last != "" {
		if q.filter.After, err = readEventNumber(last); err != nil {
			return cohort.Invalid("Last-Event-ID", "The header must be the number of an event.")
		}
	}
	leave, err := h.followers.enter(r.Store.Key)
	if err != nil {
		return err
	}
	defer leave()
	s := &eventStream{handler: h, request: r, w: w, control: http.NewResponseController(w), filter: q.filter}
	s.follower = h.svc.Follow(r.Store.Key)
	defer s.follower.Close()
	changed := s.follower.Changed()
	page, err := s.read()
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies must not hold it back
	if r.ProtoMajor == 1 {
		header.Set("Connection", "close") // its deadlines are not those of other requests
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	return s.run(page, changed)
}

// eventStream is a running stream.
type eventStream struct {
	handler  *handler
	request  *api.Request
	w        io.Writer
	control  *http.ResponseController
	follower *service.Follower
	filter   cohort.EventFilter
	beats    <-chan time.Time
	checks   <-chan time.Time
	told     int64 // the client knows that it has all events up to this number
}

func (s *eventStream) read() (cohort.EventPage, error) {
	ctx, cancel := context.WithTimeout(s.request.Context(), eventReadTimeout)
	defer cancel()
	return s.handler.svc.Events(ctx, s.request.Store.Key, s.filter, service.MaxEvents)
}

// run sends pages until the stream ends. The client resumes after the last event that it
// has, so only a failure of the server is an error.
func (s *eventStream) run(page cohort.EventPage, changed <-chan struct{}) error {
	beat, check := time.NewTicker(eventHeartbeat), time.NewTicker(eventTokenCheck)
	defer beat.Stop()
	defer check.Stop()
	s.beats, s.checks = beat.C, check.C
	err := s.send(": the events of " + s.request.Store.Hash + "\n\n")
	for err == nil && s.sendPage(page) == nil && s.wait(changed, page.More) {
		changed = s.follower.Changed()
		if page, err = s.read(); err != nil && s.request.Context().Err() == nil {
			return err
		}
	}
	return nil
}

// wait waits until there may be further events, or not at all if there are some. It reports
// whether the stream goes on.
func (s *eventStream) wait(changed <-chan struct{}, more bool) bool {
	if more {
		ready := make(chan struct{})
		close(ready)
		changed = ready
	}
	for {
		select { // those that end the stream come first
		case <-s.request.Stopping:
			return false
		case <-s.checks:
			if !s.permitted() {
				return false
			}
		default:
		}
		select {
		case <-changed:
			return true
		case <-s.beats:
			if s.beat() != nil {
				return false
			}
		case <-s.checks:
			if !s.permitted() {
				return false
			}
		case <-s.request.Stopping:
			return false
		case <-s.request.Context().Done():
			return false
		}
	}
}

// permitted reports whether the token may still read events.
func (s *eventStream) permitted() bool {
	ctx, cancel := context.WithTimeout(s.request.Context(), eventReadTimeout)
	defer cancel()
	b, err := s.handler.svc.Authenticate(ctx, s.request.Store.Hash, s.request.Header.Get("X-Auth-Token"), cohort.ScopeCustomersRead)
	return err == nil && b.Store.Key == s.request.Store.Key
}

func (s *eventStream) sendPage(page cohort.EventPage) error {
	if page.Missed {
		if err := s.write(fmt.Sprintf("event: missed\ndata: {\"first\":%d}\n\n", page.First)); err != nil {
			return err
		}
	}
	for _, e := range page.Events {
		text, err := json.Marshal(api.NewEvent(e))
		if err != nil {
			return err
		}
		if err := s.write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.Number, e.Kind, text)); err != nil {
			return err
		}
		s.told = e.Number
	}
	s.filter.After = page.Next
	return s.control.Flush()
}

// beat keeps the stream open. It tells the client also of events that do not pass the
// filter, so that it need not look through them again.
func (s *eventStream) beat() error {
	if s.filter.After <= s.told {
		return s.send(": still here\n\n")
	}
	s.told = s.filter.After
	return s.send(fmt.Sprintf("id: %d\n\n", s.told))
}

// send sends a part of the stream at once.
func (s *eventStream) send(text string) error {
	if err := s.write(text); err != nil {
		return err
	}
	return s.control.Flush()
}

// write writes a part of the stream. The client may resume if it takes too long to receive it.
func (s *eventStream) write(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(eventWriteTimeout)) // fails only without a network connection
	_, err := io.WriteString(s.w, text)
	return err
}
