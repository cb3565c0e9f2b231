package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// callers change the groups of one store through several nodes during a failure
// of the database. The worst response they get is 503; they then retry, as a
// well-behaved client does. They record the responses.
type callers struct {
	t     *testing.T
	nodes []string // URLs
	http  *http.Client

	acknowledged atomic.Int64
	over         atomic.Bool
	work         sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond // of acknowledged
	groups   map[int64]string
	gone     map[int64]bool
	statuses map[int]int
	slowest  time.Duration
}

const manyCallers = 8

// newCallers starts callers. Each uses one node after another.
func newCallers(t *testing.T, nodes ...string) *callers {
	t.Helper()
	c := &callers{
		t: t, nodes: nodes, groups: map[int64]string{}, gone: map[int64]bool{}, statuses: map[int]int{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * manyCallers}, Timeout: time.Minute},
	}
	c.changed = sync.NewCond(&c.mu)
	for i := range manyCallers {
		c.work.Go(func() {
			for n := 0; !c.over.Load() && !t.Failed(); n++ {
				c.round(fmt.Sprintf("caller %d, group %d", i, n), n)
				pauseIfShort()
			}
		})
	}
	t.Cleanup(c.stop)
	return c
}

// round creates a group, renames every second one and deletes every third one.
func (c *callers) round(name string, n int) {
	text := c.call(n, http.MethodPost, "/customer_groups", fmt.Sprintf(`{"name":%q}`, name), http.StatusOK)
	var g struct{ ID int64 }
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		c.t.Errorf("%s: %v: %s", name, err, text)
		return
	}
	c.note(func() {
		if c.groups[g.ID] != "" || c.gone[g.ID] {
			c.t.Errorf("%s gets id %d, which was used before", name, g.ID)
		}
		c.groups[g.ID] = name
	})
	path := fmt.Sprint("/customer_groups/", g.ID)
	if n%2 == 0 {
		name += ", renamed"
		c.call(n+1, http.MethodPut, path, fmt.Sprintf(`{"name":%q}`, name), http.StatusOK)
		c.note(func() { c.groups[g.ID] = name })
	}
	if n%3 == 0 {
		c.call(n+2, http.MethodDelete, path, "", http.StatusNoContent)
		c.note(func() {
			delete(c.groups, g.ID)
			c.gone[g.ID] = true
		})
	}
}

func (c *callers) note(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
	c.acknowledged.Add(1)
	c.changed.Broadcast()
}

// retryPause is how long a caller waits after 503. It is less than the server
// asks for, so that more requests meet an outage.
const retryPause = 50 * time.Millisecond

// call sends a request until it gets the wanted status. A change with the
// response 503 must not have been made. If it was, the retry shows it: by a
// duplicate name, or by a missing group.
func (c *callers) call(n int, method, path, body string, want int) string {
	for {
		status, text, err := c.send(c.nodes[n%len(c.nodes)], method, "/stores/demo/v2"+path, body)
		switch {
		case err == nil && status == want:
			return text
		case err != nil || status != http.StatusServiceUnavailable:
			c.t.Errorf("%s %s %s: %d %s, error %v", method, path, body, status, text, err)
			return text
		case c.t.Context().Err() != nil || c.t.Failed():
			return text
		}
		time.Sleep(retryPause) // as a client does; no assertion depends on it
	}
}

// send sends one request.
func (c *callers) send(node, method, path, body string) (status int, text string, err error) {
	return c.sendAs("demo-token", node, method, path, body)
}

func (c *callers) sendAs(token, node, method, path, body string) (status int, text string, err error) {
	req, err := http.NewRequestWithContext(c.t.Context(), method, node+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Content-Type", "application/json")
	begun := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if strings.HasPrefix(path, "/stores/") {
		c.count(res, string(b), time.Since(begun))
	}
	return res.StatusCode, string(b), err
}

func (c *callers) count(res *http.Response, text string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statuses[res.StatusCode]++
	c.slowest = max(c.slowest, took)
	const rejection = `[{"status":503,"message":"The service is unavailable for the moment. Please try again."}]`
	if res.StatusCode == http.StatusServiceUnavailable && (text != rejection || res.Header.Get("Retry-After") != "1") {
		c.t.Errorf("503 with Retry-After %q: %s", res.Header.Get("Retry-After"), text)
	}
}

// await waits for the given number of further acknowledged changes.
func (c *callers) await(more int64) {
	c.t.Helper()
	ended := time.AfterFunc(time.Minute, func() {
		c.t.Error("no more changes are acknowledged")
		c.changed.Broadcast()
	})
	defer ended.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for until := c.acknowledged.Load() + more; c.acknowledged.Load() < until && !c.t.Failed(); {
		c.changed.Wait()
	}
	if c.t.Failed() {
		c.t.FailNow()
	}
}

// awaitReady waits until /readyz of a node has a status.
func (c *callers) awaitReady(node string, want int, within time.Duration) {
	c.t.Helper()
	begun := time.Now()
	for {
		status, text, err := c.send(node, http.MethodGet, "/readyz", "")
		took := time.Since(begun)
		if status == want {
			c.t.Logf("/readyz responds with %d after %s", want, took.Round(time.Millisecond))
		}
		switch {
		case took > within:
			c.t.Fatalf("/readyz after %s: %d %s (%v), want %d within %s", took, status, text, err, want, within)
		case status == want:
			return
		}
		<-time.After(pollPause)
	}
}

// awaitReadyAll is awaitReady for all nodes.
func (c *callers) awaitReadyAll(want int, within time.Duration) {
	c.t.Helper()
	for _, node := range c.nodes {
		c.awaitReady(node, want, within)
	}
}

func (c *callers) stop() {
	c.over.Store(true)
	c.work.Wait()
}

// check waits for the requests under way, and compares the responses with the
// content, through every node.
func (c *callers) check() {
	c.t.Helper()
	c.stop()
	c.t.Logf("%d changes, responses %v, the slowest after %s", c.acknowledged.Load(), c.statuses, c.slowest.Round(time.Millisecond))
	for _, node := range c.nodes {
		if diff := cmp.Diff(c.groups, c.list(node)); diff != "" {
			c.t.Errorf("acknowledged and actual groups (-want +got):\n%s", diff)
		}
	}
}

// list returns the names of all groups by id.
func (c *callers) list(node string) map[int64]string {
	c.t.Helper()
	found := map[int64]string{}
	var last int64
	for page := 1; ; page++ {
		status, text, err := c.send(node, http.MethodGet, fmt.Sprintf("/stores/demo/v2/customer_groups?limit=250&page=%d", page), "")
		if err == nil && status == http.StatusNoContent {
			return found
		}
		var groups []struct {
			ID   int64
			Name string
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), &groups)
		}
		if err != nil {
			c.t.Fatalf("list: %d %.300s, error %v", status, text, err)
		}
		for _, g := range groups {
			if g.ID <= last {
				c.t.Errorf("id %d comes after %d", g.ID, last)
			}
			last = g.ID
			found[g.ID] = g.Name
		}
	}
}
