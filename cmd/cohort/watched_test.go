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
	"syscall"
	"testing"
	"time"
)

// watched is a "cohort serve" that is watched while it works: what it logs, and
// what its metrics say of it. Its log is too long to be kept.
type watched struct {
	*exec.Cmd
	url, metrics string
	odd          []string // lines that are not about something that went well
	last         string   // line of the log
	ended        chan struct{}
	err          error // what Wait said, once it has ended
}

var metricsLine = regexp.MustCompile(`msg="serving metrics" url=(\S+)`)

// watch starts a server for development on a database of its own.
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
		_ = w.Process.Kill() // no matter: by now it should have ended
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
		t.Fatalf("it ended: %v\n%s", w.err, strings.Join(w.odd, "\n"))
	}
	return w
}

// read reads the log to its end, and closes serving when it says so.
func (w *watched) read(log io.Reader, serving chan struct{}) {
	const enough = 200 // to see what is wrong
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if bytes.Contains(line, []byte(" level=INFO msg=request ")) {
			continue
		}
		w.last = strings.TrimSpace(string(line))
		if !strings.Contains(w.last, " level=INFO ") && len(w.odd) < enough {
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

// end asks the server to end, and fails unless it ends as it should and has
// logged nothing that an operator would have to look at: neither an error nor
// a panic.
func (w *watched) end(t *testing.T) {
	t.Helper()
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.ended:
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	if w.err != nil || !strings.HasSuffix(w.last, "msg=stopped") {
		t.Errorf("it ended with %v, and said last: %s", w.err, w.last)
	}
	if len(w.odd) > 0 {
		t.Errorf("the log tells of trouble:\n%s", strings.Join(w.odd, "\n"))
	}
}

// vitals is what the server says of itself.
type vitals struct {
	goroutines, fds, memory, inFlight, processors float64
}

func (v vitals) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f descriptors, %.1f MiB resident", v.goroutines, v.fds, v.memory/(1<<20))
}

// vitals asks the metrics, on a connection that leaves nothing behind.
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
		"go_sched_gomaxprocs_threads": &v.processors,
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
		t.Fatalf("the metrics do not say everything: %+v", v)
	}
	return v
}

// sample takes the vitals again and again until ctx ends.
func (w *watched) sample(t *testing.T, ctx context.Context) (all []vitals) {
	t.Helper()
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return all
		case <-ticks.C:
			all = append(all, w.vitals(t))
		}
	}
}

// awaitCalm returns when the server is about as it was before its clients came.
// More than then it has the connections to the database that a pool keeps, of
// two descriptors each.
func (w *watched) awaitCalm(t *testing.T, before vitals) vitals {
	t.Helper()
	const some = 5
	pool := 2*before.processors + 2
	return w.awaitVitals(t, fmt.Sprintf("all clients have left, and it is as before, with %s", before), func(v vitals) bool {
		return v.inFlight == 0 && v.goroutines <= before.goroutines+some && v.fds <= before.fds+2*pool+some
	})
}

// awaitVitals returns when the server is as it should be. The deadline is for
// one that never is.
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
			t.Errorf("it does not come to this: %s; it has %s and %.0f requests under way", what, v, v.inFlight)
			return v
		}
	}
}

// mean of some samples, as far as there are any.
func mean(all []vitals) (m vitals) {
	n := float64(max(len(all), 1))
	for _, v := range all {
		m.goroutines += v.goroutines / n
		m.fds += v.fds / n
		m.memory += v.memory / n
	}
	return m
}

// wantFlat fails if the server took more and more memory until the end. In a
// short time it does, for it has to get to work first.
func wantFlat(t *testing.T, during []vitals) {
	t.Helper()
	if soakTime(t) < longSoak {
		return
	}
	// Answers are kept up to a bound, and as much garbage may stand beside them.
	const room = 128 << 20
	third := len(during) / 3
	middle, last := mean(during[third:2*third]).memory, mean(during[2*third:]).memory
	if last > 1.1*middle+room {
		t.Errorf("memory grows: %.1f MiB in the middle third, %.1f in the last", middle/(1<<20), last/(1<<20))
	}
}
