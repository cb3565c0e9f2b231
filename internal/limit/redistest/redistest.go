// Package redistest starts a real Redis server for tests.
package redistest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"
)

// Redis is a redis-server on a Unix socket, without persistence.
type Redis struct {
	Socket string
	args   []string
	input  io.Closer // the server runs until it is closed
	ended  chan struct{}
	log    string
}

// URL returns the server's URL. If the server has no password, pass "".
func (r *Redis) URL(password string) string {
	if password != "" {
		return "unix://:" + password + "@" + r.Socket
	}
	return "unix://" + r.Socket
}

// Start starts a server that stops when the test ends. If redis-server is not installed,
// the test is skipped; in CI (CI=true) it fails.
func Start(t testing.TB, args ...string) *Redis {
	t.Helper()
	requireRedis(t)
	r, err := start(args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.remove)
	return r
}

func requireRedis(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		testenv.Need(t, "redis-server", "it is not in the PATH (on Debian: apt-get install redis-server)")
	}
}

func start(args []string) (*Redis, error) {
	dir, err := os.MkdirTemp("", "redis") // the path of a Unix socket has about 100 bytes at most
	if err != nil {
		return nil, err
	}
	r := &Redis{Socket: filepath.Join(dir, "redis.sock"), args: args, log: filepath.Join(dir, "log")}
	if err := r.run(); err != nil {
		r.remove()
		return nil, err
	}
	return r, nil
}

// watch runs the server until the shell's standard input is closed, which happens at the
// latest when the test process ends, even if it is killed.
const watch = `redis-server "$@" & read -r line; kill -9 $!; wait`

func (r *Redis) run() error {
	args := append([]string{"-c", watch, "sh", "--port", "0", "--unixsocket", r.Socket, "--save", "", "--appendonly", "no",
		"--dir", filepath.Dir(r.Socket), "--logfile", r.log, "--databases", "1"}, r.args...)
	cmd := exec.Command("sh", args...) //nolint:noctx // it ends when its input is closed
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.input, r.ended = input, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait() // the error says that the server was killed
	}(r.ended)
	return r.await()
}

// await waits until the server responds, with an error if it requires a password.
func (r *Redis) await() error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if reply, err := r.ping(); err == nil && (strings.HasPrefix(reply, "+PONG") || strings.HasPrefix(reply, "-NOAUTH")) {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	text, _ := os.ReadFile(r.log)
	return fmt.Errorf("redis-server does not respond:\n%s", text)
}

func (r *Redis) ping() (string, error) {
	c, err := net.DialTimeout("unix", r.Socket, time.Second) //nolint:noctx // a local socket
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}

// Kill kills the server, as in a crash.
func (r *Redis) Kill() {
	_ = r.input.Close()
	<-r.ended
}

// Restart starts the server again after Kill, on the same socket and empty.
func (r *Redis) Restart(t testing.TB) {
	t.Helper()
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
}

func (r *Redis) remove() {
	if r.input != nil {
		r.Kill()
	}
	_ = os.RemoveAll(filepath.Dir(r.Socket))
}

// shared is the server that all tests of a binary share.
var shared struct {
	sync.Mutex
	redis *Redis
}

// URL returns the URL of a server that tests share: the one in COHORT_TEST_REDIS, or one
// that Main stops. Each test must use stores with new names.
func URL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("COHORT_TEST_REDIS"); url != "" {
		return url
	}
	requireRedis(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.redis == nil {
		r, err := start(nil)
		if err != nil {
			t.Fatal(err)
		}
		shared.redis = r
	}
	return shared.redis.URL("")
}

// Main runs the tests of a binary and stops the server that they share.
func Main(m *testing.M) (status int) {
	defer func() {
		if shared.redis != nil {
			shared.redis.remove()
		}
	}()
	return m.Run()
}
