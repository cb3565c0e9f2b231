package client

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// quota is what the four quota headers of a response say.
type quota struct {
	known      bool
	size, left int
	reset      time.Duration // until the window ends
	window     time.Duration
}

// readQuota reads the quota headers. It ignores them unless all four make sense.
func readQuota(h http.Header) (q quota) {
	values := [4]int64{}
	for i, name := range []string{"Quota", "Left"} {
		n, err := strconv.ParseInt(h.Get("X-Rate-Limit-Requests-"+name), 10, 32)
		if err != nil || n < 0 {
			return quota{}
		}
		values[i] = n
	}
	for i, name := range []string{"Reset-Ms", "Window-Ms"} {
		n, err := strconv.ParseInt(h.Get("X-Rate-Limit-Time-"+name), 10, 64)
		if err != nil || n < 0 || n > maxBelievedWait.Milliseconds() {
			return quota{}
		}
		values[i+2] = n
	}
	q = quota{true, int(values[0]), int(values[1]), time.Duration(values[2]) * time.Millisecond, time.Duration(values[3]) * time.Millisecond}
	if q.size == 0 || q.left > q.size || q.window == 0 || q.reset > q.window {
		return quota{}
	}
	return q
}

// pacer holds requests back before the quota of the store is used up. It counts what it has
// sent itself, and corrects the count by each response, because others use the quota too.
//
// Until the first response nothing is known, so one request goes first and the others wait
// for it. A store without a quota has no headers, and nothing is held back.
type pacer struct {
	clock   Clock
	floor   int
	maxWait time.Duration

	mu       sync.Mutex
	state    pacerState
	asked    chan struct{} // closed when the first request has ended; nil: none is under way
	quota    int
	window   time.Duration
	left     int       // in this window, less than the server's number by what is under way
	lowest   int       // the lowest number that the server has sent in this window
	end      time.Time // of this window; zero: the next request begins one
	inFlight int
}

type pacerState uint8

const (
	unknown pacerState = iota
	unmetered
	metered
)

// resetMargin is added to the end of a window, whose time is rounded down to milliseconds.
const resetMargin = 5 * time.Millisecond

func newPacer(c Clock, floor int, maxWait time.Duration) *pacer {
	return &pacer{clock: c, floor: max(floor, 0), maxWait: maxWait}
}

// ticket is the right to send one request. The caller calls done when it has ended.
type ticket struct {
	p     *pacer
	first bool // the others wait for it
}

// acquire waits until a request may be sent. A slow request never goes first, since the
// others would wait for it.
func (p *pacer) acquire(ctx context.Context, slow bool) (ticket, error) {
	for {
		t, wait, asked := p.reserve(slow)
		switch {
		case asked != nil:
			select {
			case <-asked:
			case <-ctx.Done():
				return t, ctx.Err()
			}
		case wait == 0:
			return t, nil
		default:
			if err := p.clock.Sleep(ctx, wait); err != nil {
				return t, err
			}
		}
	}
}

// reserve counts a request. If it may not be sent yet, reserve returns how long to wait, or
// the channel to wait for.
func (p *pacer) reserve(slow bool) (t ticket, wait time.Duration, asked <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.p = p
	if p.state == unknown && !slow {
		if p.asked != nil {
			return t, 0, p.asked
		}
		p.asked, t.first = make(chan struct{}), true
	}
	if p.state == metered {
		if wait := p.waitForWindow(); wait > 0 {
			return t, wait, nil
		}
		p.left--
	}
	p.inFlight++
	return t, 0, nil
}

// waitForWindow returns how long the quota is used up, or 0. A wait beyond the longest is 0
// too: the server then refuses the request, and says how long.
func (p *pacer) waitForWindow() time.Duration {
	now := p.clock.Now()
	if !now.Before(p.end) { // a new window begins with this request
		p.end = now.Add(p.window)
		p.left, p.lowest = p.quota-p.inFlight, p.quota
	}
	if p.left > min(p.floor, p.quota/10) {
		return 0
	}
	if wait := p.end.Sub(now); wait <= p.maxWait {
		return wait
	}
	return 0
}

// done ends a request, and learns from its response. The status is 0 if there is none.
func (t ticket) done(status int, h http.Header) {
	p := t.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	if t.first {
		close(p.asked)
		p.asked = nil
	}
	q := readQuota(h)
	switch {
	case q.known:
		p.learn(q)
	case status >= 200 && status < 300:
		p.state = unmetered
	}
}

// learn takes the numbers of a response. Responses may arrive in another order than the
// server has counted them, so only a lower number of the same window is newer.
func (p *pacer) learn(q quota) {
	end := p.clock.Now().Add(q.reset + resetMargin)
	switch {
	case p.state != metered || end.After(p.end.Add(q.window/2)):
		p.lowest = q.left
	case end.Before(p.end.Add(-q.window / 2)):
		return // of an earlier window
	default:
		p.lowest = min(p.lowest, q.left)
	}
	p.state, p.quota, p.window, p.end = metered, q.size, q.window, end
	p.left = p.lowest - p.inFlight
}
