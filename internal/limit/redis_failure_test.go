package limit

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/limit/redistest"

	"github.com/google/go-cmp/cmp"
)

// Redis is killed and comes back empty. The node continues with its local counts, logs
// that once, and shares again with the slots of all running requests.
func TestRedisKilled(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	timing := patientTiming
	timing.backgroundTimeout = time.Second
	n, other := mustShare(t, redis.URL(""), timing), mustShare(t, redis.URL(""), timing)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 3, Quota: 100, Metered: true}
	first := n.admits(t, r)
	redis.Kill()

	var wg sync.WaitGroup
	var mu sync.Mutex
	var ends []func()
	for range 40 {
		wg.Go(func() {
			if d, done := n.Admit(r); d.RejectedBy == "" {
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, done)
			}
		})
	}
	wg.Wait()
	if len(ends) != 2 {
		t.Errorf("with one of three slots held, %d requests are admitted, want 2", len(ends))
	}
	ends[0]()
	d, last := n.Admit(r)
	if d.RejectedBy != "" || d.Quota.Left != 96 {
		t.Errorf("the fourth request: %+v, want 96 left", d)
	}
	if n.Sharing() || n.DecidedLocally() != 41 {
		t.Errorf("sharing: %v, %d local decisions, want 41", n.Sharing(), n.DecidedLocally())
	}
	if diff := cmp.Diff([]string{"INFO", "WARN"}, n.log.levels()); diff != "" {
		t.Errorf("the log (-want +got):\n%s\n%s", diff, n.log)
	}

	redis.Restart(t)
	until(t, "both nodes share again", func() bool { return n.Sharing() && other.Sharing() })
	if diff := cmp.Diff([]string{"INFO", "WARN", "INFO"}, n.log.levels()); diff != "" {
		t.Errorf("the log (-want +got):\n%s\n%s", diff, n.log)
	}
	// Redis admitted one of the running requests, and the node two.
	until(t, "Redis has the slots of all running requests", func() bool { return n.held(t, r) == 3 })
	other.rejects(t, r, Concurrency)
	for _, done := range []func(){first, ends[1], last} {
		done()
	}
	until(t, "all slots are free", func() bool { return n.held(t, r) == 0 })
	for range 3 {
		other.admits(t, r)
	}
	other.rejects(t, r, Concurrency)
}

// Requests do not wait for a Redis that is too slow, and send it nothing until the node
// has reconnected.
func TestRedisStalls(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Socket)
	timing := patientTiming
	timing.admitTimeout, timing.backgroundTimeout = 2*time.Second, 10*time.Second
	timing.retryDelay, timing.maxRetryDelay = time.Hour, time.Hour // no reconnect during the test
	n := mustShare(t, p.url(), timing)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 40, Quota: 1000, Metered: true}
	n.admits(t, r)()
	until(t, "the slot is removed", func() bool { return n.Waiting() == 0 })
	resume := p.hold()
	defer resume()
	var wg sync.WaitGroup
	for range 20 { // concurrent requests that wait for Redis
		wg.Go(func() {
			d, done := n.Admit(r)
			if done(); d.RejectedBy != "" {
				t.Errorf("%+v", d)
			}
		})
	}
	wg.Wait()
	if n.Sharing() || !strings.Contains(n.log.String(), "no reply in 2s") || !slices.Equal(n.log.levels(), []string{"INFO", "WARN"}) {
		t.Fatalf("sharing: %v\n%s", n.Sharing(), n.log)
	}
	sent := p.bytes.Load()
	for range 20 {
		n.admits(t, r)()
	}
	if got := p.bytes.Load(); got != sent {
		t.Errorf("%d bytes were sent to Redis while the node did not share", got-sent)
	}
	if got := n.DecidedLocally(); got != 40 {
		t.Errorf("%d local decisions, want 40", got)
	}
}

// If Redis admits a request after the node has given up waiting, the slot is freed when
// the request ends.
func TestLateReply(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Socket)
	timing := patientTiming
	timing.admitTimeout = 2 * time.Second
	n, other := mustShare(t, p.url(), timing), mustShare(t, redis.URL(""), patientTiming)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	resume := p.hold()
	done := n.admits(t, r)
	if n.Sharing() {
		t.Fatal("the node still shares")
	}
	resume()
	until(t, "Redis has the slot", func() bool { return other.held(t, r) == 1 })
	until(t, "the node shares again", n.Sharing)
	other.rejects(t, r, Concurrency)
	done()
	until(t, "the slot is free", func() bool { return other.held(t, r) == 0 })
	other.admits(t, r)
}

// The same, if the request has ended before Redis admits it.
func TestLateReplyAfterRequest(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Socket)
	timing := patientTiming
	timing.admitTimeout = 2 * time.Second
	n, other := mustShare(t, p.url(), timing), mustShare(t, redis.URL(""), patientTiming)
	n.stopBackground()
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	resume := p.hold()
	n.admits(t, r)()
	if n.Sharing() {
		t.Fatal("the node still shares")
	}
	resume()
	until(t, "Redis has the slot", func() bool { return other.held(t, r) == 1 })
	if err := n.removeFreed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := other.held(t, r); got != 0 {
		t.Errorf("%d slots are still held", got)
	}
}

// If Redis is down at start-up, the node starts with local counts, logs that once, and
// shares once Redis is up.
func TestRedisDownAtStart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	n := openNode(t, redis.URL(""), patientTiming)
	r := Request{Store: newStore(), Quota: 2, Metered: true}
	n.admits(t, r)
	n.admits(t, r)
	n.rejects(t, r, Quota)
	if diff := cmp.Diff([]string{"WARN"}, n.log.levels()); diff != "" {
		t.Errorf("the log (-want +got):\n%s\n%s", diff, n.log)
	}
	redis.Restart(t)
	until(t, "the node shares", n.Sharing)
	n.admits(t, r)
	if got := n.DecidedLocally(); got != 3 {
		t.Errorf("%d local decisions, want 3", got)
	}
}

// A reply that the admission script cannot send stops sharing, at start-up and later.
func TestInvalidReplies(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"a status":            "+OK\r\n",
		"a number":            ":0\r\n",
		"a null string":       "$-1\r\n",
		"a null array":        "*-1\r\n",
		"an empty array":      "*0\r\n",
		"too few":             "*3\r\n:0\r\n:0\r\n:1\r\n",
		"too many":            "*5\r\n:0\r\n:0\r\n:1\r\n:1\r\n:1\r\n",
		"a text":              "*4\r\n:0\r\n:0\r\n$1\r\nx\r\n:1\r\n",
		"an unknown limit":    "*4\r\n:4\r\n:0\r\n:1\r\n:1\r\n",
		"a negative limit":    "*4\r\n:-1\r\n:0\r\n:1\r\n:1\r\n",
		"a negative usage":    "*4\r\n:0\r\n:0\r\n:-5\r\n:1\r\n",
		"a reset too late":    "*4\r\n:0\r\n:0\r\n:1\r\n:30001\r\n",
		"a reset in the past": "*4\r\n:0\r\n:0\r\n:1\r\n:-1\r\n",
		"a retry after a day": "*4\r\n:3\r\n:86400000\r\n:1\r\n:1\r\n",
		"an error":            "-ERR broken\r\n",
		"out of memory":       "-OOM command not allowed when used memory > 'maxmemory'\r\n",
		"another protocol":    "HTTP/1.1 400 Bad Request\r\n\r\n",
		"binary data":         "\x00\xff\x80garbage\n\n",
		"EOF":                 "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFakeRedis(t)
			r := Request{Store: newStore(), Quota: 2, Metered: true}
			later := mustShare(t, f.url(), patientTiming)
			f.reply.Store(reply)
			atStart := openNode(t, f.url(), patientTiming)
			for _, n := range []*node{later, atStart} {
				for left := range 2 {
					d, _ := n.Admit(r)
					if want := (Usage{Limit: 2, Left: 1 - left, Reset: d.Quota.Reset}); d.RejectedBy != "" || d.Quota != want {
						t.Errorf("%+v, want the local counts", d)
					}
				}
				n.rejects(t, r, Quota)
				if n.Sharing() || n.DecidedLocally() != 3 {
					t.Errorf("sharing: %v, %d local decisions, want 3", n.Sharing(), n.DecidedLocally())
				}
			}
			f.reply.Store(admitted)
			until(t, "both nodes share", func() bool { return later.Sharing() && atStart.Sharing() })
		})
	}
}

// With a wrong Redis password the node does not share, and the log has the reason but
// not the password.
func TestRedisPassword(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--requirepass", "open-sesame")
	mustShare(t, redis.URL("open-sesame"), patientTiming)
	for _, password := range []string{"", "a-wrong-password"} {
		n := openNode(t, redis.URL(password), patientTiming)
		n.admits(t, Request{Store: newStore(), Quota: 1, Metered: true})
		if n.Sharing() || len(n.log.levels()) != 1 {
			t.Errorf("with password %q: sharing %v\n%s", password, n.Sharing(), n.log)
		}
		if text := n.log.String(); !strings.Contains(text, "NOAUTH") && !strings.Contains(text, "WRONGPASS") || strings.Contains(text, "wrong-password") {
			t.Errorf("log with password %q:\n%s", password, text)
		}
	}
}

// Redis quotes unknown commands, shortened.
func TestRedactHidesPassword(t *testing.T) {
	t.Parallel()
	s := &Shared{secret: "open-sesame-and-more"}
	for text, want := range map[string]string{
		"ERR unknown command 'AUTH', with args beginning with: 'open-sesame-'": "ERR unknown command 'AUTH'",
		"proxy: no such password: open-sesame-and-more!":                       "proxy: no such password: …!",
		"dial tcp 127.0.0.1:1: connect: connection refused":                    "dial tcp 127.0.0.1:1: connect: connection refused",
	} {
		if got := s.redact(errors.New(text)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := new(Shared).redact(errors.New("x")); got != "x" {
		t.Errorf("without a password: %q", got)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"redis://localhost", "redis://localhost:6380/3", "redis://user:pa%20ss@localhost", "rediss://:secret@redis.example:6380",
		"unix:///run/redis.sock", "unix://:secret@/run/redis.sock?db=2", "redis://localhost?pool_size=5",
	} {
		if err := CheckURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{
		"", "localhost:6379", "http://:hunter2@localhost", "redis://:hunter2@localhost:port", "redis://user:hun#ter2@localhost",
		"redis://:hunter2@localhost/x", "redis://:hunter2@localhost?no_such=1", "redis://:hunter2@local host", "hunter2", "\x00",
		"redis://:hunter2%@localhost", "unix://", "redis://:hunter2@[::1",
	} {
		err := CheckURL(url)
		if err == nil {
			t.Errorf("%q is accepted", url)
			continue
		}
		if !errors.Is(err, errURL) || err.Error() != errURL.Error() {
			t.Errorf("%q: %v, which may contain a password", url, err)
		}
		if _, err := Open(t.Context(), url, Options{}); !errors.Is(err, errURL) {
			t.Errorf("Open(%q): %v", url, err)
		}
	}
}

// A rediss URL uses TLS.
func TestRedisTLS(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	first := make(chan byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 1)
		_, _ = c.Read(b)
		first <- b[0]
	}()
	timing := patientTiming
	timing.backgroundTimeout = time.Second
	n := openNode(t, "rediss://:hunter2@"+l.Addr().String(), timing)
	if got := <-first; got != 22 {
		t.Errorf("the first byte is %d, want 22, a TLS handshake", got)
	}
	if n.Sharing() || !slices.Equal(n.log.levels(), []string{"WARN"}) {
		t.Errorf("sharing: %v\n%s", n.Sharing(), n.log)
	}
}
