package controlclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// streamPatience is how long a stream may be silent. The server sends a comment every
	// 15 seconds.
	streamPatience = 40 * time.Second
	// maxEvent bounds an event of a stream, in bytes.
	maxEvent = 8 << 20
	// maxStreamPause is how long to wait at most before a stream is opened again.
	maxStreamPause = 5 * time.Second
)

// pause doubles from a fifth of a second.
func pause(n int) time.Duration { return min(200*time.Millisecond<<min(n, 10), maxStreamPause) }

// Follower receives what a stream sends.
type Follower struct {
	// Request gets a request of the journal in JSON. An error ends the stream.
	Request func(text json.RawMessage) error
	// Lost gets the number of requests that the server could not send.
	Lost func(count int)
	// Interrupted is called when the connection is lost, and Resumed when there is one again.
	Interrupted func(err error)
	Resumed     func()
}

// Follow sends the requests of a store to a follower, from the one after an id on, until
// the context ends or the server refuses. It connects again when the connection is lost.
// query has the parameters of the stream except since; since -1 means only requests that
// come from now on. The end of the context is no error.
func (c *Client) Follow(ctx context.Context, store string, query url.Values, since int64, f Follower) error {
	s := &stream{Client: c, ctx: ctx, store: store, query: query, last: since, Follower: f}
	if since < 0 {
		newest, err := s.newest()
		if err != nil {
			return endOf(ctx, err)
		}
		s.last = newest
	}
	for n := 0; ; n++ {
		received, err := s.connect(n > 0)
		if received {
			n = 0
		}
		if err = endOf(ctx, err); ctx.Err() != nil || !again(err) || !received && n == 0 {
			return err // also if the first connection fails
		}
		if n == 0 {
			f.Interrupted(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.pause(n)):
		}
	}
}

// endOf returns an error, or nil if it is due to the end of the context.
func endOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// errInterrupted is the cause of an error of a stream that may be opened again.
var errInterrupted = errors.New("the stream broke off")

// again reports whether a stream should be opened again. A server that starts may say 503.
func again(err error) bool {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Status == http.StatusServiceUnavailable
	}
	_, unreachable := errors.AsType[*UnreachableError](err)
	return unreachable || errors.Is(err, errInterrupted)
}

// stream is a stream of requests over several connections.
type stream struct {
	*Client
	Follower
	ctx   context.Context
	store string
	query url.Values
	last  int64 // the id of the last request
}

// newest returns the id of the newest request of the store, 0 for none.
func (s *stream) newest() (int64, error) {
	var page struct {
		Requests []struct {
			ID int64 `json:"id"`
		} `json:"requests"`
	}
	call := Call{Method: http.MethodGet, Path: StorePath(s.store, "requests"), Query: url.Values{"limit": {"1"}}}
	if err := s.Decode(s.ctx, call, &page); err != nil || len(page.Requests) == 0 {
		return 0, err
	}
	return page.Requests[0].ID, nil
}

// connect opens the stream and reads it to its end. received reports whether it was open.
func (s *stream) connect(resumed bool) (received bool, err error) {
	if resumed {
		newest, err := s.newest()
		if err != nil {
			return false, err
		}
		if newest < s.last {
			s.last = 0 // the server has started anew, and counts from 1
		}
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	query := url.Values{"since": {strconv.FormatInt(s.last, 10)}}
	for name, values := range s.query {
		query[name] = values
	}
	// The silence of a server that is gone would otherwise last for ever.
	silence := time.AfterFunc(streamPatience, cancel)
	defer silence.Stop()
	res, err := s.send(ctx, Call{Method: http.MethodGet, Path: StorePath(s.store, "requests", "stream"), Query: query}, http.Header{"Accept": {"text/event-stream"}})
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", errInterrupted, err)
		}
		return false, err
	}
	defer res.Body.Close()
	if resumed {
		s.Resumed()
	}
	return true, s.read(res.Body, func() { silence.Reset(streamPatience) })
}

// read reads events until the stream ends, which is an error. heard is called for each line.
func (s *stream) read(body io.Reader, heard func()) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	var kind, id string
	var data bytes.Buffer
	for lines.Scan() {
		heard()
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if err := s.event(kind, id, data.Bytes()); err != nil {
				return err
			}
			kind, id = "", ""
			data.Reset()
		case name == "event":
			kind = value
		case name == "id":
			id = value
		case name == "data":
			data.WriteString(value)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("the stream of %s has an event that is larger than %d MiB", s.base, maxEvent>>20)
	}
	return fmt.Errorf("%w (%w)", errInterrupted, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}

// event handles an event. Kinds that are not known are left out.
func (s *stream) event(kind, id string, data []byte) error {
	switch kind {
	case "request":
		if !json.Valid(data) {
			return fmt.Errorf("the stream of %s has an event that is not JSON", s.base)
		}
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			s.last = n
		}
		return s.Request(data)
	case "lost":
		var lost struct {
			Count int `json:"count"`
		}
		if json.Unmarshal(data, &lost) == nil {
			s.Lost(lost.Count)
		}
	}
	return nil
}
