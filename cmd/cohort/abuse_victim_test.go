package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// mostResident is the most memory in bytes that a server may use in any
	// case.
	mostResident = 256 << 20
	// tooMuch is the memory in bytes at which a server is killed, to protect
	// the machine.
	tooMuch = 3 << 30
	// shutdownTime is how long a server may take to end after SIGTERM.
	shutdownTime = 15 * time.Second
	// patience is how long a hostile client waits for a response.
	patience = 20 * time.Second
)

// victim is a server under attack.
type victim struct {
	*watched
	t      *testing.T
	db     string
	http   *http.Client
	peak   atomic.Int64 // bytes
	killed atomic.Bool
}

// newVictim starts a server on a new SQLite file.
func newVictim(t *testing.T, args ...string) *victim {
	t.Helper()
	return newVictimOn(t, "sqlite:"+filepath.Join(t.TempDir(), "cohort.db"), args...)
}

func newVictimOn(t *testing.T, db string, args ...string) *victim {
	t.Helper()
	v := &victim{t: t, db: db, watched: watchServe(t, append([]string{"--db", db}, args...)...)}
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	v.http = &http.Client{Transport: transport, Timeout: patience}
	go v.guard()
	return v
}

// guard samples the server's memory until the server ends.
func (v *victim) guard() {
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-v.ended:
			return
		case <-ticks.C:
		}
		resident := v.look()
		if resident > tooMuch && !v.killed.Swap(true) {
			_ = v.Process.Kill() // it may have ended
		}
	}
}

// look returns the peak memory of the server in bytes, 0 on systems other than
// Linux.
func (v *victim) look() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.Process.Pid))
	if err != nil {
		return v.peak.Load()
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return v.peak.Load()
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64)
	v.peak.Store(max(v.peak.Load(), kib<<10))
	return v.peak.Load()
}

// memory describes the peak memory of the server, for a report.
func (v *victim) memory() string {
	text := fmt.Sprintf("%d MiB at most", v.look()>>20)
	if v.killed.Load() {
		text += ", and was killed for that"
	}
	return text
}

// wantModest fails if the server has used more memory than it may.
func (v *victim) wantModest() {
	v.t.Helper()
	if v.look() > mostResident {
		v.t.Errorf("the server took %s, want at most %d MiB", v.memory(), mostResident>>20)
	}
}

// cohort runs a command on the server's database.
func (v *victim) cohort(args ...string) (stdout string) {
	v.t.Helper()
	return program(v.t, append(args, "--db", v.db)...)
}

// newStore creates a store and a token for it with every scope.
func (v *victim) newStore(hash string, args ...string) (token string) {
	v.t.Helper()
	v.cohort(append([]string{"store", "create", hash}, args...)...)
	return v.newToken(hash)
}

func (v *victim) newToken(store string) string {
	v.t.Helper()
	return v.cohort("token", "create", "--store", store, "--scope", "store_v2_customers,store_v2_products")
}

// reply is a response. Its status is 0 if there was none.
type reply struct {
	status int
	body   string
	took   time.Duration
	err    error
}

func (r reply) String() string { return fmt.Sprintf("%d %.300s (%v)", r.status, r.body, r.err) }

// ask sends a request on a kept connection.
func (v *victim) ask(ctx context.Context, token, method, path, body string) (r reply) {
	begun := time.Now()
	defer func() { r.took = time.Since(begun) }()
	req, err := http.NewRequestWithContext(ctx, method, v.url+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Content-Type", "application/json")
	res, err := v.http.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, body: string(text), err: err}
}

// must sends a request and ends the test unless the response has this status.
func (v *victim) must(want int, token, method, path, body string) string {
	v.t.Helper()
	r := v.ask(v.t.Context(), token, method, path, body)
	if r.status != want || r.err != nil {
		v.t.Fatalf("%s %s: %s, want %d", method, path, r, want)
	}
	return r.body
}

// newGroups counts the bodies of newGroupBody.
var newGroups atomic.Int64

// newGroupBody returns the body of a group whose name begins with a text and is not used
// again.
func newGroupBody(name string) string {
	return fmt.Sprintf(`{"name":"%s %d"}`, name, newGroups.Add(1))
}

// group creates a group with the given fields besides its name, and returns its
// id.
func (v *victim) group(store, token, fields string) (id int64) {
	v.t.Helper()
	body := v.must(200, token, "POST", "/stores/"+store+"/v2/customer_groups", strings.TrimSuffix(newGroupBody("a group"), "}")+fields+"}")
	if _, err := fmt.Sscanf(body, `{"id":%d,`, &id); err != nil {
		v.t.Fatalf("%v: %.300s", err, body)
	}
	return id
}

// wire is a connection for arbitrary bytes.
type wire struct {
	*net.TCPConn
	responses *bufio.Reader
}

func (v *victim) dial() wire {
	v.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		v.t.Fatal(err)
	}
	return wire{conn.(*net.TCPConn), bufio.NewReader(conn)}
}

// raw returns the bytes of a request with a Content-Length.
func raw(method, path, token, body string, header ...string) string {
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: 127.0.0.1", "X-Auth-Token: " + token,
		"Content-Type: application/json", fmt.Sprint("Content-Length: ", len(body))}, header...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// read reads a response to a request of any method.
func (w wire) read() (r reply) {
	res, err := http.ReadResponse(w.responses, nil)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, body: string(text), err: err}
}

// exchange sends a text on a new connection and reads one response.
func (v *victim) exchange(text string) reply {
	w := v.dial()
	defer w.Close()
	begun := time.Now()
	if _, err := io.WriteString(w, text); err != nil {
		return reply{err: err}
	}
	r := w.read()
	r.took = time.Since(begun)
	return r
}

// wantAlive fails unless the server still responds and has never responded with
// 500.
func (v *victim) wantAlive() {
	v.t.Helper()
	if r := v.ask(v.t.Context(), "", "GET", "/livez", ""); r.status != 200 {
		v.t.Errorf("the server does not respond: %s", r)
		return
	}
	res, err := http.Get(v.metrics)
	if err != nil {
		v.t.Error(err)
		return
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), `status="500"`) {
			v.t.Errorf("the server responded with 500: %s", lines.Text())
		}
	}
}

// end sends SIGTERM, and fails unless the server ends within shutdownTime. It
// returns how long that took.
func (v *victim) end() time.Duration {
	v.t.Helper()
	begun := time.Now()
	if v.killed.Load() {
		<-v.ended
		return 0
	}
	if err := v.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Errorf("SIGTERM: %v", err)
	}
	select {
	case <-v.ended:
	case <-time.After(shutdownTime + 5*time.Second):
		v.t.Error("the server does not end")
		_ = v.Process.Kill()
		<-v.ended
	}
	if v.err != nil {
		v.t.Errorf("the server ended with %v: %s", v.err, v.last)
	}
	for _, line := range v.odd {
		if strings.Contains(line, "panic") {
			v.t.Errorf("the log contains a panic: %s", line)
		}
	}
	return time.Since(begun)
}

// tally counts responses by status, and records how long they took.
type tally struct {
	mu       sync.Mutex
	statuses map[int]int
	times    []time.Duration
	largest  int // body
}

func (c *tally) add(r reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.statuses == nil {
		c.statuses = map[int]int{}
	}
	c.statuses[r.status]++
	c.times = append(c.times, r.took)
	c.largest = max(c.largest, len(r.body))
}

func (c *tally) of(status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.statuses[status]
}

// wantOnly fails if there was a response with another status, or no response at
// all.
func (c *tally) wantOnly(t *testing.T, who string, statuses ...int) {
	t.Helper()
	if len(c.times) == 0 {
		t.Errorf("%s got no response", who)
	}
	for status, n := range c.statuses {
		if !slices.Contains(statuses, status) {
			t.Errorf("%s got %d %d times, want only %v", who, status, n, statuses)
		}
	}
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.times) == 0 {
		return "no answer"
	}
	slices.Sort(c.times)
	var b strings.Builder
	for _, status := range slices.Sorted(maps.Keys(c.statuses)) {
		fmt.Fprintf(&b, "%d×%d ", c.statuses[status], status)
	}
	at := func(q float64) time.Duration {
		return c.times[int(math.Ceil(q*float64(len(c.times)-1)))].Round(10 * time.Microsecond)
	}
	fmt.Fprintf(&b, "p50 %v p99 %v max %v", at(0.5), at(0.99), at(1))
	return b.String()
}

// loose runs n clients that repeat do until the time is over or the server has
// ended, and counts the responses. Requests under way are then cancelled,
// except for the first of each client.
func (v *victim) loose(n int, d time.Duration, do func(ctx context.Context, client, round int) reply) *tally {
	ctx, cancel := context.WithTimeout(v.t.Context(), d)
	defer cancel()
	var all tally
	var work sync.WaitGroup
	for client := range n {
		work.Go(func() {
			all.add(do(v.t.Context(), client, 0)) // as long as it takes
			for round := 1; ctx.Err() == nil && !v.hasEnded(); round++ {
				if r := do(ctx, client, round); ctx.Err() == nil {
					all.add(r)
				}
			}
		})
	}
	work.Wait()
	return &all
}

func (v *victim) hasEnded() bool {
	select {
	case <-v.ended:
		return true
	default:
		return false
	}
}

// beside repeats do, one call after another, until stop is called. stop waits
// for the call under way, which may be the slow one, and returns the responses.
// The short form pauses between the calls, to save processor time.
func (v *victim) beside(do func(ctx context.Context, round int) reply) (stop func() *tally) {
	ctx, cancel := context.WithCancel(v.t.Context())
	done := make(chan *tally)
	go func() {
		var all tally
		for round := 0; ctx.Err() == nil && !v.hasEnded(); round++ {
			all.add(do(v.t.Context(), round))
			pauseIfShort()
		}
		done <- &all
	}()
	return func() *tally {
		cancel()
		return <-done
	}
}
