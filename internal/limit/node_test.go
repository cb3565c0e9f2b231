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

// patientTiming has timeouts that a busy machine does not exceed.
var patientTiming = timing{
	admitTimeout: 30 * time.Second, lease: time.Minute, backgroundTimeout: 30 * time.Second,
	retryDelay: time.Millisecond, maxRetryDelay: 20 * time.Millisecond,
}

// node is a Shared with its log.
type node struct {
	*Shared
	log *logBuffer
}

func openNode(t testing.TB, url string, timing timing) *node {
	t.Helper()
	log := &logBuffer{}
	s, err := open(t.Context(), url, Options{Log: slog.New(slog.NewTextHandler(log, nil))}, timing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &node{s, log}
}

// mustShare opens a node and fails unless it shares.
func mustShare(t testing.TB, url string, timing timing) *node {
	t.Helper()
	n := openNode(t, url, timing)
	if !n.Sharing() {
		t.Fatalf("limits are not shared:\n%s", n.log)
	}
	return n
}

// stopBackground stops the background goroutine.
func (n *node) stopBackground() {
	n.stop()
	<-n.stopped
}

// admits fails unless the request is admitted.
func (n *node) admits(t testing.TB, r Request) (done func()) {
	t.Helper()
	d, done := n.Admit(r)
	if d.RejectedBy != "" {
		t.Fatalf("%+v is rejected: %+v\n%s", r, d, n.log)
	}
	return done
}

// rejects fails unless the limit rejects the request.
func (n *node) rejects(t testing.TB, r Request, limit string) {
	t.Helper()
	if d, _ := n.Admit(r); d.RejectedBy != limit {
		t.Fatalf("%+v: %+v, want rejection by %s\n%s", r, d, limit, n.log)
	}
}

// logBuffer keeps a log in memory.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// levels returns the levels of the lines, in order.
func (l *logBuffer) levels() (levels []string) {
	for line := range strings.Lines(l.String()) {
		_, rest, _ := strings.Cut(line, "level=")
		level, _, _ := strings.Cut(rest, " ")
		levels = append(levels, level)
	}
	return levels
}

// until waits until a condition is true.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !condition() {
		if ctx.Err() != nil {
			t.Fatalf("timeout while waiting until %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// newStore returns a store name that no other test uses.
func newStore() string { return strings.ToLower(rand.Text()) }

// held returns how many slots Redis has for the request's operation.
func (n *node) held(t testing.TB, r Request) int {
	t.Helper()
	count, err := n.client.ZCard(t.Context(), concurrencyKey(&r)).Result()
	if err != nil {
		t.Fatal(err)
	}
	return int(count)
}

// clientOf returns another client of the same Redis.
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
