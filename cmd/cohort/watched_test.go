package main_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// watched is a "cohort serve" process whose log and metrics are checked while
// it works. The log is too long to be kept.
type watched struct {
	*exec.Cmd
	url, metrics string
	odd          []string     // lines of the log above level info
	logged       atomic.Int64 // bytes of the log
	last         string       // last line of the log
	ended        chan struct{}
	err          error // result of Wait, valid once ended is closed
}

// unknownTokens is in the warning that nuisances cause once a minute.
const unknownTokens = "too many unknown tokens from one address"

var metricsLine = regexp.MustCompile(`msg="serving metrics" url=(\S+)`)

// watch starts a development server on a new database.
func watch(t *testing.T) *watched {
	t.Helper()
	return watchServe(t, "--dev", "--db", "sqlite:"+filepath.Join(t.TempDir(), "cohort.db"))
}

// watchServe starts a server on free ports and waits until it serves.
func watchServe(t *testing.T, args ...string) *watched {
	t.Helper()
	w := &watched{ended: make(chan struct{})}
	w.Cmd = command(t, append([]string{"serve", "--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0"}, args...)...)
	stderr, err := w.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Process.Kill() // it should have ended
		<-w.ended
	})
	serving := make(chan struct{})
	go func() {
		defer close(w.ended)
		w.read(stderr, serving)
		w.err = w.Wait()
	}()
	select {
	case <-serving:
	case <-w.ended:
		t.Fatalf("the server ended: %v\n%s", w.err, strings.Join(w.odd, "\n"))
	}
	return w
}

// read reads the log to its end, and closes serving when the server accepts
// requests.
func (w *watched) read(log io.Reader, serving chan struct{}) {
	const enough = 200 // enough for a report
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		w.logged.Add(int64(len(line)))
		if bytes.Contains(line, []byte(" level=INFO msg=request ")) {
			continue
		}
		w.last = strings.TrimSpace(string(line))
		if !strings.Contains(w.last, " level=INFO ") && !strings.Contains(w.last, unknownTokens) && len(w.odd) < enough {
			w.odd = append(w.odd, w.last)
		}
		if m := metricsLine.FindStringSubmatch(w.last); m != nil {
			w.metrics = m[1]
		}
		if m := servingLine.FindStringSubmatch(w.last); m != nil {
			w.url = m[1]
			close(serving)
		}
	}
}

// end stops the server. It fails unless the server exits normally and has
// logged neither an error nor a panic.
func (w *watched) end(t *testing.T) {
	t.Helper()
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.ended:
	case <-time.After(time.Minute):
		t.Fatal("the server does not end")
	}
	if w.err != nil || !strings.HasSuffix(w.last, "msg=stopped") {
		t.Errorf("the server ended with %v; the last line of its log: %s", w.err, w.last)
	}
	if len(w.odd) > 0 {
		t.Errorf("the log contains errors:\n%s", strings.Join(w.odd, "\n"))
	}
}

// vitals are the measurements of the server about itself.
type vitals struct {
	goroutines, fds, memory, inFlight, processors float64
	live, held, released                          float64 // bytes of the heap: alive or garbage; from the system; given back
}

// outside returns the resident bytes that are not of the Go runtime: SQLite's
// memory and the pages of the program file.
func (v vitals) outside() float64 { return max(0, v.memory-(v.held-v.released)) }

func (v vitals) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f descriptors, %.1f MiB resident", v.goroutines, v.fds, v.memory/(1<<20))
}

// vitals reads the metrics, on a connection that is closed afterwards.
func (w *watched) vitals(t *testing.T) vitals {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	res, err := client.Get(w.metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var v vitals
	fields := map[string]*float64{
		"go_goroutines": &v.goroutines, "process_open_fds": &v.fds,
		"process_resident_memory_bytes": &v.memory, "cohort_http_requests_in_flight": &v.inFlight,
		"go_sched_gomaxprocs_threads":  &v.processors,
		"go_memstats_heap_alloc_bytes": &v.live, "go_memstats_sys_bytes": &v.held, "go_memstats_heap_released_bytes": &v.released,
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		field, wanted := fields[name]
		if !wanted {
			continue
		}
		if *field, err = strconv.ParseFloat(value, 64); err != nil {
			t.Fatal(err)
		}
	}
	if v.goroutines == 0 || v.fds == 0 || v.memory == 0 || v.processors == 0 {
		t.Fatalf("metrics are missing: %+v", v)
	}
	return v
}

// awaitCalm waits until the server is about as it was before its clients came.
// It may have more connections to the database, which the pool keeps, with two
// descriptors each. On a busy machine what runs in the background, which is a dozen
// goroutines, may have begun later.
func (w *watched) awaitCalm(t *testing.T, before vitals) vitals {
	t.Helper()
	const some = 15
	pool := 2*before.processors + 2
	return w.awaitVitals(t, fmt.Sprintf("all clients have left, and it is as before, with %s", before), func(v vitals) bool {
		return v.inFlight == 0 && v.goroutines <= before.goroutines+some && v.fds <= before.fds+2*pool+some
	})
}

// awaitVitals waits until the vitals satisfy the condition, or fails after a
// deadline.
func (w *watched) awaitVitals(t *testing.T, what string, are func(vitals) bool) vitals {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		v := w.vitals(t)
		if are(v) {
			return v
		}
		if ctx.Err() != nil {
			t.Errorf("never reached: %s; the server has %s and %.0f requests under way", what, v, v.inFlight)
			return v
		}
		<-time.After(pollPause)
	}
}
