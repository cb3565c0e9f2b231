package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"
)

// Clients create groups with idempotency keys while the server is killed at random moments.
// Each repeats its last request until it gets an answer. Afterwards there is one group for
// each key, and every answer is repeated as it was.
func TestKilledWithKeys(t *testing.T) {
	eachOrSQLite(t, testKilledWithKeys)
}

func testKilledWithKeys(t *testing.T, url string) {
	kills := setting(t, "COHORT_CRASH_KILLS", testenv.Times[uint64](12, 3))
	seed := setting(t, "COHORT_CRASH_SEED", rand.Uint64())
	t.Logf("COHORT_CRASH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1<<33))
	clients := make([]*keyClient, 8)
	for i := range clients {
		clients[i] = &keyClient{name: fmt.Sprint("client ", i)}
	}
	h := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(clients)}, Timeout: time.Minute}
	for range kills {
		p := serve(t, "--db", url)
		var answered atomic.Int64
		enough, due := 1+rng.Int64N(200), make(chan struct{})
		reached := sync.OnceFunc(func() { close(due) })
		var all sync.WaitGroup
		for _, c := range clients {
			all.Go(func() {
				for c.step(h, p.url) {
					if answered.Add(1) >= enough {
						reached()
					}
				}
				reached() // after a failure before the kill, too
			})
		}
		<-due
		p.kill(t)
		all.Wait()
		h.CloseIdleConnections()
		awaitNoConnections(t, url)
	}
	checkKeys(t, h, serve(t, "--db", url), clients)
}

// checkKeys repeats every request, and counts what they have created.
func checkKeys(t *testing.T, h *http.Client, p *process, clients []*keyClient) {
	t.Helper()
	keys, doubted, done := 0, 0, 0
	for _, c := range clients {
		for c.doubted { // the last request has no answer yet
			if !c.step(h, p.url) {
				t.Fatalf("%s: %s", c.name, c.problem)
			}
		}
		if c.problem != "" {
			t.Errorf("%s: %s", c.name, c.problem)
		}
		for i, want := range c.answers {
			if got, replayed, err := c.send(h, p.url, i); err != nil || !replayed || got != want {
				t.Errorf("%s, key %d: %s, replayed %v, error %v; want %s", c.name, i, got, replayed, err, want)
			}
		}
		keys, doubted, done = keys+len(c.answers), doubted+c.repeated, done+c.done
	}
	t.Logf("%d keys, of which %d had to be repeated and %d of these had been committed", keys, doubted, done)
	if status, body, err := p.do(t.Context(), "GET", "/customer_groups/count"); err != nil || status != 200 || body != fmt.Sprintf(`{"count":%d}`, keys) {
		t.Errorf("count %d %s, error %v; want %d groups", status, body, err, keys)
	}
}

// keyClient creates groups, one request after another.
type keyClient struct {
	name     string
	answers  []string // by key
	doubted  bool     // the next key was sent without an answer
	problem  string
	repeated int // keys that were sent again
	done     int // of these, those that had been committed before
}

// step sends the next request, or again the one without an answer. It returns false if there
// is no answer.
func (c *keyClient) step(h *http.Client, url string) bool {
	answer, replayed, err := c.send(h, url, len(c.answers))
	if err != nil {
		c.problem = err.Error()
		c.doubted = true
		return false
	}
	if replayed && !c.doubted {
		c.problem = "a new key has an answer: " + answer
		return false
	}
	if c.doubted {
		c.repeated++
	}
	if replayed {
		c.done++
	}
	c.problem, c.doubted = "", false
	c.answers = append(c.answers, answer)
	return true
}

// send sends the request with a key. Any status but 200 is an error.
func (c *keyClient) send(h *http.Client, url string, key int) (answer string, replayed bool, err error) {
	name := fmt.Sprint(c.name, ", ", key)
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return "", false, err
	}
	r, err := http.NewRequest(http.MethodPost, url+"/stores/demo/v2/customer_groups", bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	r.Header.Set("X-Auth-Token", "demo-token")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", name)
	w, err := h.Do(r)
	if err != nil {
		return "", false, err
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err == nil && w.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", name, w.StatusCode, text)
	}
	return w.Header.Get("Location") + " " + string(text), w.Header.Get("Idempotent-Replayed") == "true", err
}
