package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"
)

// crowd returns the number of concurrent connections.
func crowd() int { return testenv.Times(2000, 500) }

// TestOverload sends far more concurrent requests to one store than the limits
// allow. Each gets the requested response or a 429 in the documented form. A
// rejected change is not made, /livez responds throughout, and once the load
// has ended no request is rejected.
func TestOverload(t *testing.T) {
	w := watch(t)
	before := w.vitals(t)
	s := newSoak(t, w)
	visitors := s.dialMany(crowd())
	stop := s.probe()

	var created, deleted figures
	together(visitors, func(v *visitor) {
		status, body := v.ask("POST", "/customer_groups", newGroupBody("one of many"))
		created.add("", status)
		v.ask("GET", "/customer_groups", "")
		if status != http.StatusOK {
			return
		}
		var id int64
		if _, err := fmt.Sscanf(body, `{"id":%d,`, &id); err != nil {
			t.Errorf("%v: %s", err, body)
		}
		status, _ = v.ask("DELETE", fmt.Sprint("/customer_groups/", id), "")
		deleted.add("", status)
	})
	left := created.of("", 200) - deleted.of("", 204) + len(s.flagged)
	newRegular(s, 0).want("/customer_groups/count", fmt.Sprintf(`{"count":%d}`, left))
	s.wantBodiesHoldNoSlot(visitors[:concurrency])
	newRegular(s, 0).want("/customer_groups/count", fmt.Sprintf(`{"count":%d}`, left+2*concurrency))

	slowest := stop()
	for _, v := range visitors {
		v.Close()
	}
	s.wantServed()
	s.http.CloseIdleConnections()
	t.Logf("%d connections\nresponses: %s\nslowest response of /livez: %v\nbefore: %s\nafter: %s",
		crowd(), &s.figures, slowest, before, w.awaitCalm(t, before))
	w.end(t)
}

// concurrency is how many requests may create groups of one store at the same
// time.
const concurrency = 40

// wantBodiesHoldNoSlot sends as many requests as may run together, without
// their bodies. None of them takes a slot: other clients are served, and so are
// these when their bodies arrive.
func (s *soak) wantBodiesHoldNoSlot(visitors []*visitor) {
	slow, bodies := s.dialMany(concurrency), make([]string, concurrency)
	for i, v := range slow {
		bodies[i] = newGroupBody("slow")
		v.send("POST /stores/demo/v2/customer_groups HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: demo-token\r\n" +
			fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(bodies[i])))
		// The server sends 100 Continue when it waits for the body.
		if res := v.read("POST"); res.StatusCode != http.StatusContinue {
			s.Fatalf("it did not wait for the body: %s", res.Status)
		}
	}
	for _, v := range visitors { // one after another, to stay within the limits
		if status, response := v.ask("POST", "/customer_groups", newGroupBody("quick")); status != http.StatusOK {
			s.Errorf("beside slow bodies another client got %d %s", status, response)
		}
	}
	for i, v := range slow {
		v.send(bodies[i])
		if res := v.read("POST"); res.StatusCode != http.StatusOK {
			s.Errorf("a client with a slow body got %s", res.Status)
		}
		v.Close()
	}
	s.wantServed()
}

// wantServed fails unless all requests of a single client succeed.
func (s *soak) wantServed() {
	r := newRegular(s, 0)
	body, id := r.create("/customer_groups", newGroupBody("alone"))
	path := fmt.Sprint("/customer_groups/", id)
	r.want(path, body)
	r.ask("GET", "/customer_groups", "", 200)
	r.ask("DELETE", path, "", 204)
}

// visitor is a client with its own connection.
type visitor struct {
	net.Conn
	*soak
	responses *bufio.Reader
}

// dialMany connects n visitors.
func (s *soak) dialMany(n int) []*visitor {
	s.Helper()
	visitors := make([]*visitor, n)
	for i := range visitors {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.server.url, "http://"))
		if errors.Is(err, syscall.EMFILE) {
			s.Fatalf("this test opens %d connections, more than the limit of open files (ulimit -n) allows: %v", n, err)
		}
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(func() { conn.Close() })
		// No response takes so long.
		if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			s.Fatal(err)
		}
		visitors[i] = &visitor{conn, s, bufio.NewReader(conn)}
	}
	return visitors
}

// together calls do for all visitors at the same moment, and returns when all
// calls have returned.
func together(visitors []*visitor, do func(*visitor)) {
	var ready, done sync.WaitGroup
	ready.Add(len(visitors))
	for _, v := range visitors {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			do(v)
		})
	}
	done.Wait()
}

func (v *visitor) send(text string) {
	if _, err := io.WriteString(v.Conn, text); err != nil {
		v.Errorf("send a request: %v", err)
	}
}

// read reads a response, which is required.
func (v *visitor) read(method string) *http.Response {
	res, err := http.ReadResponse(v.responses, &http.Request{Method: method})
	if err != nil {
		v.Errorf("no response: %v", err)
		return &http.Response{Status: "nothing", Body: http.NoBody}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.Errorf("incomplete response: %v", err)
	}
	res.Body.Close()
	res.Body = io.NopCloser(strings.NewReader(string(body)))
	return res
}

// ask sends a request. The response must be a success, or a 429 in the
// documented form.
func (v *visitor) ask(method, path, body string) (status int, response string) {
	v.send(fmt.Sprintf("%s /stores/demo/v2%s HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: demo-token\r\nContent-Length: %d\r\n\r\n%s",
		method, path, len(body), body))
	res := v.read(method)
	text, _ := io.ReadAll(res.Body) // reading from memory does not fail
	v.figures.add(method, res.StatusCode)
	switch res.StatusCode {
	case http.StatusOK, http.StatusNoContent:
	case http.StatusTooManyRequests:
		v.wantPolite(res, string(text))
	default:
		v.Errorf("%s %s: %s %s", method, path, res.Status, text)
	}
	return res.StatusCode, string(text)
}

// wantPolite fails unless a rejection has the documented form.
func (v *visitor) wantPolite(res *http.Response, body string) {
	const want = `{"status":429,"title":"Too many requests","type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes","errors":{}}`
	if body != want || res.Header.Get("X-Retry-After") != "1" || res.Header.Get("Content-Type") != "application/json" || res.Close {
		v.Errorf("rejected with %v and %s", res.Header, body)
	}
}

// probe requests /livez repeatedly until stop is called. stop returns the
// duration of the slowest response.
func (s *soak) probe() (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan time.Duration)
	go func() {
		ticks := time.NewTicker(10 * time.Millisecond)
		defer ticks.Stop()
		var slowest time.Duration
		for ctx.Err() == nil {
			slowest = max(slowest, s.knock())
			<-ticks.C
		}
		done <- slowest
	}()
	return func() time.Duration {
		cancel()
		return <-done
	}
}

// knock requests /livez once on a new connection, as a supervisor does.
func (s *soak) knock() time.Duration {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: s.patience()}
	begun := time.Now()
	res, err := client.Get(s.server.url + "/livez")
	if err != nil {
		s.Errorf("/livez does not respond: %v", err)
		return time.Since(begun)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.Errorf("/livez: %s", res.Status)
	}
	return time.Since(begun)
}

// patience is the timeout of a supervisor. In a long soak it is the usual
// second. Otherwise it is longer, because tests of other packages use the
// processors too.
func (s *soak) patience() time.Duration {
	if soakTime(s.T) >= longSoak {
		return time.Second
	}
	return 10 * time.Second
}
