// Package load puts a server under load: each caller has its own connection,
// which stays open, and sends its next request when it has the response to the
// last one.
//
// It costs little, because it runs on the machine that it measures: it writes
// requests by hand, reads responses only as far as needed to find their end,
// allocates nothing per request, and on Linux waits for all connections in one
// thread. The same code calls every server, so its cost is the same for all of
// them.
package load

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Source appends the complete request number n to b. Each number is used once,
// so a name made from it is unique.
type Source func(b []byte, n uint64) []byte

// Plan describes a run.
type Plan struct {
	Addr    string
	Callers int
	Source  Source
	// First is the number of the first request.
	First uint64
	// WarmUp is how long requests are sent before they count, For how long they
	// count afterwards.
	WarmUp, For time.Duration
	// Requests ends the run after this many requests instead, without a
	// warm-up.
	Requests uint64
}

// Result is the result of a run.
type Result struct {
	// Answers is the number of responses with a status of 200 to 299 in the
	// time that counts, Took is that time.
	Answers int64
	Took    time.Duration
	// Bytes is the size of their bodies.
	Bytes int64
	// Latency is the time of each in nanoseconds.
	Latency *hdrhistogram.Histogram
	// Refused counts the responses with any other status, including the
	// warm-up.
	Refused map[int]int64
	// Refusal is the first of them.
	Refusal string
	// Next is the first unused number.
	Next uint64
}

// PerSecond is the throughput.
func (r *Result) PerSecond() float64 { return float64(r.Answers) / r.Took.Seconds() }

// Quantile is the latency that q percent of the responses did not exceed.
func (r *Result) Quantile(q float64) time.Duration {
	return time.Duration(r.Latency.ValueAtQuantile(q))
}

// Check returns an error unless every request succeeded.
func (r *Result) Check() error {
	if len(r.Refused) > 0 {
		return fmt.Errorf("requests failed, by status: %v; the first: %s", r.Refused, r.Refusal)
	}
	if r.Answers == 0 {
		return errors.New("no response in the time that counts")
	}
	return nil
}

// grace is how long a response may take before the run fails.
const grace = 30 * time.Second

// Run executes a plan. It fails when a connection breaks or a response cannot
// be parsed. Responses with other statuses are reported by [Result.Check].
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

// Spread executes a plan with several servers in place of its own. Each gets its share of the
// callers and of the requests, with numbers of its own. The result is that of all servers together; it
// fails if one run does.
func Spread(p Plan, addrs ...string) (*Result, error) {
	servers := uint64(len(addrs))
	results, errs := make([]*Result, servers), make([]error, servers)
	var all sync.WaitGroup
	for i, addr := range addrs {
		own := p
		own.Addr, own.Callers = addr, p.Callers/len(addrs)
		own.First, own.Requests = (p.First+servers-1)/servers, p.Requests/servers
		own.Source = func(b []byte, n uint64) []byte { return p.Source(b, n*servers+uint64(i)) } //nolint:gosec // a few servers
		all.Go(func() { results[i], errs[i] = Run(own) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	sum := results[0]
	for _, r := range results[1:] {
		sum.add(r)
	}
	sum.Next *= servers
	return sum, nil
}

// add adds the result of a run at the same time.
func (r *Result) add(other *Result) {
	r.Answers, r.Bytes, r.Next = r.Answers+other.Answers, r.Bytes+other.Bytes, max(r.Next, other.Next)
	r.Latency.Merge(other.Latency)
	r.Refusal = cmp.Or(r.Refusal, other.Refusal)
	for status, n := range other.Refused {
		r.Refused[status] += n
	}
}

// newHistogram covers one microsecond to two minutes, with three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1000, 2*time.Minute.Nanoseconds(), 3)
}

// run is a plan under way. It is not safe for concurrent use.
type run struct {
	Plan
	start  time.Time
	next   uint64 // number of the next request
	result *Result
}

// caller is the state of one connection.
type caller struct {
	began   time.Duration // since the start of the run
	request []byte
	in      []byte // of the response, so far
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

// ended reports whether the response of a caller is complete, and counts it.
func (r *run) ended(c *caller) (bool, time.Duration, error) {
	a, end, err := parse(c.in, nil)
	if errors.Is(err, errMore) {
		return false, 0, nil
	}
	if err == nil && end < len(c.in) {
		err = errors.New("more than one response")
	}
	if err != nil {
		return false, 0, err
	}
	// Read the clock once: the end of a request is the beginning of the next
	// one of this caller.
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

// refuse counts a response with another status. It keeps the first line of the
// first such request; the rest contains the token.
func (r *run) refuse(status int, request []byte) {
	r.result.Refused[status]++
	if r.result.Refusal == "" {
		line, _, _ := bytes.Cut(request, []byte("\r\n"))
		r.result.Refusal = fmt.Sprintf("%d to %s", status, line)
	}
}
