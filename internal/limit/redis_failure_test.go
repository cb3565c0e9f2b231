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

// Redis dies in the middle and comes back empty: the node goes on by its own
// figures from where the shared ones were, says so once, and shares again by
// itself, with all that is under way.
func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	terms := patient
	terms.errand = time.Second // nobody waits for one who is dead
	n, other := mustShare(t, redis.URL(""), terms), mustShare(t, redis.URL(""), terms)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 3, Quota: 100, Metered: true}
	first := n.admits(t, r)
	redis.Kill()

	var wg sync.WaitGroup
	var mu sync.Mutex
	var ends []func()
	for range 40 {
		wg.Go(func() {
			if d, done := n.Admit(r); d.Refused == "" {
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, done)
			}
		})
	}
	wg.Wait()
	if len(ends) != 2 {
		t.Errorf("with one of three under way %d are let in, want 2", len(ends))
	}
	ends[0]()
	d, last := n.Admit(r)
	if d.Refused != "" || d.Quota.Left != 96 {
		t.Errorf("the fourth: %+v, want 96 left", d)
	}
	if n.Sharing() || n.DecidedLocally() != 41 {
		t.Errorf("sharing: %v, %d decided alone, want 41", n.Sharing(), n.DecidedLocally())
	}
	if diff := cmp.Diff([]string{"INFO", "WARN"}, n.log.levels()); diff != "" {
		t.Errorf("the log (-want +got):\n%s\n%s", diff, n.log)
	}

	redis.Restart(t)
	until(t, "both share again", func() bool { return n.Sharing() && other.Sharing() })
	if diff := cmp.Diff([]string{"INFO", "WARN", "INFO"}, n.log.levels()); diff != "" {
		t.Errorf("the log (-want +got):\n%s\n%s", diff, n.log)
	}
	// One was let in by Redis, two by the node itself. All are under way.
	until(t, "Redis knows what is under way", func() bool { return n.held(t, r) == 3 })
	other.refuses(t, r, Concurrency)
	for _, done := range []func(){first, ends[1], last} {
		done()
	}
	until(t, "all places are free", func() bool { return n.held(t, r) == 0 })
	for range 3 {
		other.admits(t, r)
	}
	other.refuses(t, r, Concurrency)
}

// A Redis that takes too long is not waited for, and not asked again until it
// is well.
func TestRedisStalls(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Socket)
	terms := patient
	terms.patience, terms.errand = 2*time.Second, 10*time.Second
	terms.pause, terms.maxPause = time.Hour, time.Hour // so that nobody looks
	n := mustShare(t, p.url(), terms)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 40, Quota: 1000, Metered: true}
	n.admits(t, r)()
	until(t, "its slot is removed", func() bool { return n.Waiting() == 0 })
	resume := p.hold()
	defer resume()
	var wg sync.WaitGroup
	for range 20 { // who wait for an answer together
		wg.Go(func() {
			d, done := n.Admit(r)
			if done(); d.Refused != "" {
				t.Errorf("%+v", d)
			}
		})
	}
	wg.Wait()
	if n.Sharing() || !strings.Contains(n.log.String(), "no answer in 2s") || !slices.Equal(n.log.levels(), []string{"INFO", "WARN"}) {
		t.Fatalf("sharing: %v\n%s", n.Sharing(), n.log)
	}
	sent := p.bytes.Load()
	for range 20 {
		n.admits(t, r)()
	}
	if got := p.bytes.Load(); got != sent {
		t.Errorf("while Redis is away it is sent %d bytes", got-sent)
	}
	if got := n.DecidedLocally(); got != 40 {
		t.Errorf("%d were decided alone, want 40", got)
	}
}

// A slot that Redis gives too late, when nobody waits for it any more, does not
// stay taken.
func TestRedisAnswersTooLate(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Socket)
	terms := patient
	terms.patience = 2 * time.Second
	n, other := mustShare(t, p.url(), terms), mustShare(t, redis.URL(""), patient)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	resume := p.hold()
	done := n.admits(t, r)
	if n.Sharing() {
		t.Fatal("it waited for an answer that was held back")
	}
	resume()
	until(t, "Redis has given the slot", func() bool { return other.held(t, r) == 1 })
	until(t, "the node shares again", n.Sharing)
	other.refuses(t, r, Concurrency)
	done()
	until(t, "the place is free", func() bool { return other.held(t, r) == 0 })
	other.admits(t, r)
}

// Nor does it when the request has ended by then.
func TestRedisAnswersAfterTheEnd(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Socket)
	terms := patient
	terms.patience = 2 * time.Second
	n, other := mustShare(t, p.url(), terms), mustShare(t, redis.URL(""), patient)
	n.idle()
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	resume := p.hold()
	n.admits(t, r)()
	if n.Sharing() {
		t.Fatal("it waited for an answer that was held back")
	}
	resume()
	until(t, "Redis has given the slot", func() bool { return other.held(t, r) == 1 })
	if err := n.removeFreed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := other.held(t, r); got != 0 {
		t.Errorf("%d slots stay taken", got)
	}
}

// Where Redis is away at the start, the node serves, says so once, and shares
// as soon as it can.
func TestRedisIsAwayAtStart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	n := openNode(t, redis.URL(""), patient)
	r := Request{Store: newStore(), Quota: 2, Metered: true}
	n.admits(t, r)
	n.admits(t, r)
	n.refuses(t, r, Quota)
	if diff := cmp.Diff([]string{"WARN"}, n.log.levels()); diff != "" {
		t.Errorf("the log (-want +got):\n%s\n%s", diff, n.log)
	}
	redis.Restart(t)
	until(t, "it shares", n.Sharing)
	n.admits(t, r)
	if got := n.DecidedLocally(); got != 3 {
		t.Errorf("%d were decided alone, want 3", got)
	}
}

// Answers that cannot be those of an admission are not believed, at the start
// and later.
func TestRedisAnswersGarbage(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"a status":           "+OK\r\n",
		"a number":           ":0\r\n",
		"nothing":            "$-1\r\n",
		"no array":           "*-1\r\n",
		"an empty array":     "*0\r\n",
		"too few":            "*3\r\n:0\r\n:0\r\n:1\r\n",
		"too many":           "*5\r\n:0\r\n:0\r\n:1\r\n:1\r\n:1\r\n",
		"a text":             "*4\r\n:0\r\n:0\r\n$1\r\nx\r\n:1\r\n",
		"another limit":      "*4\r\n:4\r\n:0\r\n:1\r\n:1\r\n",
		"a negative limit":   "*4\r\n:-1\r\n:0\r\n:1\r\n:1\r\n",
		"less than nothing":  "*4\r\n:0\r\n:0\r\n:-5\r\n:1\r\n",
		"a window too long":  "*4\r\n:0\r\n:0\r\n:1\r\n:30001\r\n",
		"a window that went": "*4\r\n:0\r\n:0\r\n:1\r\n:-1\r\n",
		"a day to wait":      "*4\r\n:3\r\n:86400000\r\n:1\r\n:1\r\n",
		"an error":           "-ERR broken\r\n",
		"out of memory":      "-OOM command not allowed when used memory > 'maxmemory'\r\n",
		"another protocol":   "HTTP/1.1 400 Bad Request\r\n\r\n",
		"noise":              "\x00\xff\x80garbage\n\n",
		"an end":             "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t)
			r := Request{Store: newStore(), Quota: 2, Metered: true}
			later := mustShare(t, f.url(), patient)
			f.answer.Store(answer)
			atStart := openNode(t, f.url(), patient)
			for _, n := range []*node{later, atStart} {
				for left := range 2 {
					d, _ := n.Admit(r)
					if want := (Usage{Limit: 2, Left: 1 - left, Reset: d.Quota.Reset}); d.Refused != "" || d.Quota != want {
						t.Errorf("%+v, want the node's own figures", d)
					}
				}
				n.refuses(t, r, Quota)
				if n.Sharing() || n.DecidedLocally() != 3 {
					t.Errorf("sharing: %v, %d decided alone, want 3", n.Sharing(), n.DecidedLocally())
				}
			}
			f.answer.Store(letIn)
			until(t, "both share", func() bool { return later.Sharing() && atStart.Sharing() })
		})
	}
}

// Whoever is refused by Redis does not get in, and no one learns of a password.
func TestPassword(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--requirepass", "open-sesame")
	mustShare(t, redis.URL("open-sesame"), patient)
	for _, password := range []string{"", "a-wrong-password"} {
		n := openNode(t, redis.URL(password), patient)
		n.admits(t, Request{Store: newStore(), Quota: 1, Metered: true})
		if n.Sharing() || len(n.log.levels()) != 1 {
			t.Errorf("with password %q: sharing %v\n%s", password, n.Sharing(), n.log)
		}
		if text := n.log.String(); !strings.Contains(text, "NOAUTH") && !strings.Contains(text, "WRONGPASS") || strings.Contains(text, "wrong-password") {
			t.Errorf("the reason, with password %q:\n%s", password, text)
		}
	}
}

// Redis quotes what it does not know, shortened.
func TestReasonHidesPassword(t *testing.T) {
	t.Parallel()
	s := &Shared{secret: "open-sesame-and-more"}
	for text, want := range map[string]string{
		"ERR unknown command 'AUTH', with args beginning with: 'open-sesame-'": "ERR unknown command 'AUTH'",
		"proxy: no such password: open-sesame-and-more!":                       "proxy: no such password: …!",
		"dial tcp 127.0.0.1:1: connect: connection refused":                    "dial tcp 127.0.0.1:1: connect: connection refused",
	} {
		if got := s.reason(errors.New(text)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := new(Shared).reason(errors.New("x")); got != "x" {
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
			t.Errorf("%q is taken", url)
			continue
		}
		if !errors.Is(err, errURL) || err.Error() != errURL.Error() {
			t.Errorf("%q: %v, which may tell a password", url, err)
		}
		if _, err := Open(t.Context(), url, Options{}); !errors.Is(err, errURL) {
			t.Errorf("%q is opened: %v", url, err)
		}
	}
}

// The TLS that rediss asks for is asked for.
func TestTLSIsAskedFor(t *testing.T) {
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
	terms := patient
	terms.errand = time.Second
	n := openNode(t, "rediss://:hunter2@"+l.Addr().String(), terms)
	if got := <-first; got != 22 {
		t.Errorf("the first byte is %d, want 22: a handshake", got)
	}
	if n.Sharing() || !slices.Equal(n.log.levels(), []string{"WARN"}) {
		t.Errorf("sharing: %v\n%s", n.Sharing(), n.log)
	}
}
