package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program, built once for all tests: what a signal does and what
// the exit status is can be seen from outside only. COHORT_TEST_BINARY names one to
// test instead, such as that of an older version.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	if binary = os.Getenv("COHORT_TEST_BINARY"); binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "cohort-main-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "cohort")
	// Without the version version, which needs a checkout that git trusts.
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, out))
	}
	return m.Run()
}

// command is the program with nothing of this process's COHORT_ variables.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "COHORT_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	return cmd
}

// pollPause is the pause between two looks at a condition that has no
// notification. Polling without a pause takes the processor from the process
// under test.
const pollPause = 5 * time.Millisecond

var servingLine = regexp.MustCompile(`msg=serving url=(\S+)`)

// process is a "cohort serve --dev" that runs.
type process struct {
	*exec.Cmd
	url     string
	serving chan string   // the url, when it serves
	ended   chan struct{} // closed when it has ended
	err     error         // what Wait said, once it has
	log     bytes.Buffer  // standard error, once it has
}

// serve starts a server on a free port and waits until it serves.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p := start(t, args...)
	select {
	case p.url = <-p.serving:
	case <-p.ended:
		t.Fatalf("it ended: %v\n%s", p.err, &p.log)
	}
	return p
}

// start is serve without the wait.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	db := "sqlite:" + filepath.Join(t.TempDir(), "cohort.db")
	p := &process{serving: make(chan string, 1), ended: make(chan struct{})}
	p.Cmd = command(t, append([]string{"serve", "--dev", "--addr", "127.0.0.1:0", "--db", db}, args...)...)
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill() // no matter: by now it should have ended
		<-p.ended
	})
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			fmt.Fprintln(&p.log, lines.Text())
			if m := servingLine.FindStringSubmatch(lines.Text()); m != nil {
				p.serving <- m[1]
			}
		}
		p.err = p.Wait()
	}()
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

func TestSignalsEndTheServer(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p := serve(t)
			res, err := http.Get(p.url + "/livez")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			p.signal(t, s)
			<-p.ended
			if p.err != nil {
				t.Errorf("it ended with %v, want exit status 0", p.err)
			}
			if !strings.HasSuffix(strings.TrimSpace(p.log.String()), "msg=stopped") {
				t.Errorf("the last line of the log is not about its end:\n%s", &p.log)
			}
		})
	}
}

// Somebody who presses Ctrl-C twice does not want to wait for the requests
// under way.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := serve(t, "--shutdown-timeout", "1h")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The server says "100 Continue" when the handler waits for the body, which
	// never comes.
	_, err = io.WriteString(conn, "POST /stores/demo/v2/customer_groups HTTP/1.1\r\nHost: localhost\r\n"+
		"X-Auth-Token: demo-token\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatalf("the request is not under way: %q, %v", line, err)
	}

	// When exactly the first signal has done its work cannot be seen from
	// outside, so signals go on; without a second one it would take an hour.
	for alive := true; alive; {
		p.signal(t, syscall.SIGTERM)
		select {
		case <-p.ended:
			alive = false
		default:
		}
	}
	exit, ok := errors.AsType[*exec.ExitError](p.err)
	if !ok || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("it ended with %v, want the end that the signal brings by itself", p.err)
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   []string
		status int
		stdout string
	}{
		{[]string{"version"}, 0, "cohort "},
		{[]string{"store", "list", "--db", "sqlite:" + filepath.Join(t.TempDir(), "none.db")}, 1, ""},
		{[]string{"--bogus"}, 2, ""},
	} {
		var stdout, stderr bytes.Buffer
		cmd := command(t, c.args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if status := cmd.ProcessState.ExitCode(); status != c.status {
			t.Errorf("%v: %v, want exit status %d", c.args, err, c.status)
		}
		if !strings.HasPrefix(stdout.String(), c.stdout) || (stderr.Len() > 0) != (c.status != 0) {
			t.Errorf("%v: standard output %q, standard error %q", c.args, &stdout, &stderr)
		}
	}
}
