package limit

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/limit/redistest"

	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// patient terms are for tests that a busy machine must not disturb.
var patient = terms{
	patience: 30 * time.Second, lease: time.Minute, errand: 30 * time.Second,
	pause: time.Millisecond, maxPause: 20 * time.Millisecond,
}

// node is a node with limits that are shared.
type node struct {
	*Shared
	log *journal
}

func openNode(t testing.TB, url string, terms terms) *node {
	t.Helper()
	log := &journal{}
	s, err := open(t.Context(), url, Options{Log: slog.New(slog.NewTextHandler(log, nil))}, terms)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &node{s, log}
}

// mustShare fails unless the node shares from the start.
func mustShare(t testing.TB, url string, terms terms) *node {
	t.Helper()
	n := openNode(t, url, terms)
	if !n.Sharing() {
		t.Fatalf("limits are not shared:\n%s", n.log)
	}
	return n
}

// idle ends what the node does in the background, as if it never came to it.
func (n *node) idle() {
	n.stop()
	<-n.stopped
}

// admits fails unless the request is let in.
func (n *node) admits(t testing.TB, r Request) (done func()) {
	t.Helper()
	d, done := n.Admit(r)
	if d.Refused != "" {
		t.Fatalf("%+v is refused: %+v\n%s", r, d, n.log)
	}
	return done
}

// refuses fails unless the request is refused by the limit.
func (n *node) refuses(t testing.TB, r Request, limit string) {
	t.Helper()
	if d, _ := n.Admit(r); d.Refused != limit {
		t.Fatalf("%+v: %+v, want it refused by %s\n%s", r, d, limit, n.log)
	}
}

// journal is a log, kept for the test.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// levels is the level of each line, in turn.
func (j *journal) levels() (levels []string) {
	for line := range strings.Lines(j.String()) {
		_, rest, _ := strings.Cut(line, "level=")
		level, _, _ := strings.Cut(rest, " ")
		levels = append(levels, level)
	}
	return levels
}

// until waits for something that comes by itself.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !condition() {
		if ctx.Err() != nil {
			t.Fatalf("it does not come true: %s", what)
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

// newStore names a store that no other test has.
func newStore() string { return strings.ToLower(rand.Text()) }

// held returns how many slots Redis has for a gate.
func (n *node) held(t testing.TB, r Request) int {
	t.Helper()
	count, err := n.client.ZCard(t.Context(), concurrencyKey(&r)).Result()
	if err != nil {
		t.Fatal(err)
	}
	return int(count)
}

// clientOf returns a client of its own, to look behind the node's back.
func clientOf(t testing.TB, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
