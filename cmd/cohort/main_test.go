package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"
)

// binary is the path of the program under test. The tests run it as a process,
// because signals and the exit status have no effect inside a test. It is built
// once for all tests. COHORT_TEST_BINARY names another binary to test instead,
// such as an older version.
var binary string

func TestMain(m *testing.M) {
	allowMoreParallelTests()
	os.Exit(buildAndRun(m))
}

// allowMoreParallelTests doubles the number of tests that run in parallel,
// unless -parallel sets it: many of these tests wait for timeouts of other
// processes and use little processor time meanwhile.
func allowMoreParallelTests() {
	flag.Parse()
	number := flag.Lookup("test.parallel").Value
	if n := runtime.GOMAXPROCS(0); number.String() == strconv.Itoa(n) {
		if err := number.Set(strconv.Itoa(2 * n)); err != nil {
			panic(err)
		}
	}
}

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
	// -buildvcs=false: reading the revision needs a checkout that git trusts.
	// -w: linking without debugging information takes a third less time. -X: as in a release.
	const linked = " -X cohort.example/cohort/internal/cli.linkedVersion=1.2.3 -X cohort.example/cohort/internal/cli.linkedCommit=0123456789abcdef"
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-w"+linked, "-o", binary, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, out))
	}
	return m.Run()
}

// command returns a command that runs the program without the COHORT_ variables
// of this process.
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

// pauseIfShort is called by clients between two requests. In the short form of
// the tests they send at most about 500 requests per second each, to save
// processor time; in the full form they do not pause.
func pauseIfShort() {
	if !testenv.Full() {
		<-time.After(2 * time.Millisecond)
	}
}

var servingLine = regexp.MustCompile(`msg=serving url=(\S+)`)

// process is a running "cohort serve --dev".
type process struct {
	*exec.Cmd
	url     string
	serving chan string   // receives the URL when the server accepts requests
	ended   chan struct{} // closed when the process has ended
	err     error         // result of Wait, valid once ended is closed
	log     bytes.Buffer  // standard error, valid once ended is closed
}

// serve starts a server on a free port and waits until it accepts requests.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p := start(t, args...)
	p.await(t)
	return p
}

// await waits until the server accepts requests.
func (p *process) await(t *testing.T) {
	t.Helper()
	select {
	case p.url = <-p.serving:
	case <-p.ended:
		t.Fatalf("the server ended: %v\n%s", p.err, &p.log)
	}
}

// start is serve, but does not wait.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	db := "sqlite:" + filepath.Join(t.TempDir(), "cohort.db")
	return startCommand(t, command(t, append([]string{"serve", "--dev", "--addr", "127.0.0.1:0", "--db", db}, args...)...))
}

// startCommand starts a server with a command of the test, and does not wait.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, serving: make(chan string, 1), ended: make(chan struct{})}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill() // it has usually ended already
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

func TestSignalEndsServer(t *testing.T) {
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
				t.Errorf("the server ended with %v, want exit status 0", p.err)
			}
			if !strings.HasSuffix(strings.TrimSpace(p.log.String()), "msg=stopped") {
				t.Errorf("the last line of the log is not msg=stopped:\n%s", &p.log)
			}
		})
	}
}

// beginRequest sends a request without its body, and returns while the server waits for
// the body. The connection is open until the test ends.
func beginRequest(t *testing.T, url string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
	// The server sends "100 Continue" when the handler waits for the body.
	_, err = io.WriteString(conn, "POST /stores/demo/v2/customer_groups HTTP/1.1\r\nHost: localhost\r\n"+
		"X-Auth-Token: demo-token\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatalf("the request is not in progress: got %q, %v", line, err)
	}
}

// The first signal makes the server wait for the requests in progress. A second
// one, such as a second Ctrl-C, ends it immediately.
func TestSecondSignalEndsServerImmediately(t *testing.T) {
	t.Parallel()
	p := serve(t, "--shutdown-timeout", "1h")
	beginRequest(t, p.url)

	// The test cannot observe when the server has handled the first signal, so
	// it repeats the signal. Without a second one the server would wait an hour.
	for alive := true; alive; {
		p.signal(t, syscall.SIGTERM)
		select {
		case <-p.ended:
			alive = false
		case <-time.After(time.Millisecond):
		}
	}
	exit, ok := errors.AsType[*exec.ExitError](p.err)
	if !ok || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("the server ended with %v, want it terminated by the signal", p.err)
	}
}

// The linker sets the version and the commit of a release.
func TestVersionOfARelease(t *testing.T) {
	t.Parallel()
	if os.Getenv("COHORT_TEST_BINARY") != "" {
		t.Skip("COHORT_TEST_BINARY has a version of its own")
	}
	out, err := command(t, "version").Output()
	if want := "cohort 1.2.3 0123456789abcdef go"; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("cohort version prints %q (%v), want %q...", out, err, want)
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
