// Package redistest starts a real Redis for a test.
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
)

// Redis is a redis-server of its own, without persistence, at a Unix socket.
type Redis struct {
	Socket string
	args   []string
	input  io.Closer // as long as it is open, the server runs
	ended  chan struct{}
	log    string
}

// URL returns the server's URL; its password is "" if it has none.
func (r *Redis) URL(password string) string {
	if password != "" {
		return "unix://:" + password + "@" + r.Socket
	}
	return "unix://" + r.Socket
}

// Start starts a server that ends with the test. Without redis-server the test
// is skipped, except in CI.
func Start(t testing.TB, args ...string) *Redis {
	t.Helper()
	mustHave(t)
	r, err := start(args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.remove)
	return r
}

func mustHave(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	const missing = "there is no redis-server in the PATH"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

func start(args []string) (*Redis, error) {
	dir, err := os.MkdirTemp("", "redis") // the path of a socket must be short
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

// watch runs a server until its own input ends, which it does with the test's
// process at the latest, however that ends.
const watch = `redis-server "$@" & read -r line; kill -9 $!; wait`

func (r *Redis) run() error {
	args := append([]string{"-c", watch, "sh", "--port", "0", "--unixsocket", r.Socket, "--save", "", "--appendonly", "no",
		"--dir", filepath.Dir(r.Socket), "--logfile", r.log, "--databases", "1"}, r.args...)
	cmd := exec.Command("sh", args...) //nolint:noctx // it ends when its input does
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
		_ = cmd.Wait() // it is killed
	}(r.ended)
	return r.await()
}

// await waits until the server answers. A password to give is an answer.
func (r *Redis) await() error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if answer, err := r.ping(); err == nil && (strings.HasPrefix(answer, "+PONG") || strings.HasPrefix(answer, "-NOAUTH")) {
			return nil
		}
		time.Sleep(time.Millisecond) // between two looks
	}
	text, _ := os.ReadFile(r.log)
	return fmt.Errorf("redis-server does not answer:\n%s", text)
}

func (r *Redis) ping() (string, error) {
	c, err := net.DialTimeout("unix", r.Socket, time.Second) //nolint:noctx // a socket of this machine
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

// Kill ends the server as a crash does.
func (r *Redis) Kill() {
	_ = r.input.Close()
	<-r.ended
}

// Restart starts the server again after Kill, at the same place and empty.
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

// The server that the tests of a binary share.
var shared struct {
	sync.Mutex
	redis *Redis
}

// URL returns the URL of a server that tests share: the one in
// COHORT_TEST_REDIS, or one that Main ends. Each test takes stores of its own
// there, by NewStore.
func URL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("COHORT_TEST_REDIS"); url != "" {
		return url
	}
	mustHave(t)
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

// Main runs the tests of a binary and ends the server that they share.
func Main(m *testing.M) (status int) {
	defer func() {
		if shared.redis != nil {
			shared.redis.remove()
		}
	}()
	return m.Run()
}
