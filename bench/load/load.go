// Package load puts a server under load: callers that each send their next
// request when the answer to the last one is there, on a connection of their
// own that stays open.
//
// It is made to cost little, because it runs on the machine that it measures:
// requests are written by hand, answers are read as far as it takes to know
// that they are whole, nothing is allocated per request, and on Linux one
// thread waits for all connections together. The same code calls every server,
// so what it costs is the same for all of them.
package load

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Source appends the whole of request number n to b. A number is never used
// twice, so that a name made of one is unique.
type Source func(b []byte, n uint64) []byte

// Plan is one run.
type Plan struct {
	Addr    string
	Callers int
	Source  Source
	// First is the number of the first request.
	First uint64
	// WarmUp is how long requests are made before they count, For how long they
	// count after that.
	WarmUp, For time.Duration
	// Requests ends the run after so many requests instead, with no warm-up.
	Requests uint64
}

// Result is what came of a run.
type Result struct {
	// Answers counts the requests that were answered with a status of 200 to 299
	// in the time that counts, Took is that time.
	Answers int64
	Took    time.Duration
	// Bytes is the size of their bodies.
	Bytes int64
	// Latency is how long each took, in nanoseconds.
	Latency *hdrhistogram.Histogram
	// Refused counts the answers with any other status, warm-up included.
	Refused map[int]int64
	// Refusal is the first of them.
	Refusal string
	// Next is a number that no request has had yet.
	Next uint64
}

// PerSecond is the throughput.
func (r *Result) PerSecond() float64 { return float64(r.Answers) / r.Took.Seconds() }

// Quantile is the latency that q percent of the answers did not exceed.
func (r *Result) Quantile(q float64) time.Duration {
	return time.Duration(r.Latency.ValueAtQuantile(q))
}

// Check returns an error unless every request got what it asked for.
func (r *Result) Check() error {
	if len(r.Refused) > 0 {
		return fmt.Errorf("requests were refused, by status: %v; the first: %s", r.Refused, r.Refusal)
	}
	if r.Answers == 0 {
		return errors.New("no request was answered in time")
	}
	return nil
}

// grace is how long an answer may take before the run fails.
const grace = 30 * time.Second

// Run carries out a plan. It fails when a connection breaks or an answer is
// not understood; a status that says no is for [Result.Check].
func Run(p Plan) (*Result, error) {
	r := newRun(p)
	if err := r.drive(); err != nil {
		return nil, err
	}
	r.result.Next = r.next
	if p.Requests > 0 {
		r.result.Took = time.Since(r.start)
	}
	return r.result, nil
}

// newHistogram holds a microsecond to two minutes, to three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1000, 2*time.Minute.Nanoseconds(), 3)
}

// run is a plan under way. One goroutine at a time may use it.
type run struct {
	Plan
	start  time.Time
	next   uint64 // number of the next request
	result *Result
}

// caller is what one connection is at.
type caller struct {
	began   time.Duration // since the start of the run
	request []byte
	in      []byte // of the answer, so far
}

func newRun(p Plan) *run {
	return &run{Plan: p, next: p.First, result: &Result{Took: p.For, Latency: newHistogram(), Refused: map[int]int64{}}}
}

// begin writes the next request of a caller, unless it is time to stop.
func (r *run) begin(c *caller, now time.Duration) bool {
	if r.Requests > 0 && r.next >= r.First+r.Requests || r.Requests == 0 && now >= r.WarmUp+r.For {
		return false
	}
	c.began = now
	c.request = r.Source(c.request[:0], r.next)
	c.in = c.in[:0]
	r.next++
	return true
}

// ended reports whether the answer of a caller is whole, and counts it.
func (r *run) ended(c *caller) (bool, time.Duration, error) {
	a, end, err := parse(c.in, nil)
	if errors.Is(err, errMore) {
		return false, 0, nil
	}
	if err == nil && end < len(c.in) {
		err = errors.New("more came than one answer")
	}
	if err != nil {
		return false, 0, err
	}
	// One look at the clock: where a request ends, the caller's next begins.
	now := time.Since(r.start)
	if a.status < 200 || a.status > 299 {
		r.refuse(a.status, c.request)
		return true, now, nil
	}
	if r.Requests == 0 && (now < r.WarmUp || now >= r.WarmUp+r.For) {
		return true, now, nil
	}
	r.result.Answers++
	r.result.Bytes += int64(a.size)
	return true, now, r.result.Latency.RecordValue(int64(now - c.began))
}

// refuse counts an answer that says no. It keeps the first line of the first
// such request, without the rest, which has the token in it.
func (r *run) refuse(status int, request []byte) {
	r.result.Refused[status]++
	if r.result.Refusal == "" {
		line, _, _ := bytes.Cut(request, []byte("\r\n"))
		r.result.Refusal = fmt.Sprintf("%d to %s", status, line)
	}
}
