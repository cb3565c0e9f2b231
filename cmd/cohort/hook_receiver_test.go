package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// hookReceiver is the destination of webhooks, one for each path. It writes down what it is
// told, and sometimes fails before or after that.
type hookReceiver struct {
	*httptest.Server
	t        *testing.T
	reliable atomic.Bool // it fails no more
	arrivals atomic.Int64

	mu      sync.Mutex
	rng     *rand.Rand
	bodies  map[string]string          // by webhook-id
	told    map[string][]toldMessage   // by path, in the order in which they were accepted first
	known   map[string]bool            // hash and path of what was accepted
	waiting map[string]map[string]bool // by path and subject: what has come, and is not accepted yet
	repeats int                        // messages that came again after they were accepted
}

// toldMessage is the body of a message.
type toldMessage struct {
	Scope    string          `json:"scope"`
	StoreID  string          `json:"store_id"`
	Data     json.RawMessage `json:"data"`
	Hash     string          `json:"hash"`
	Producer string          `json:"producer"`
}

// subject returns what a message is about. A membership is a matter of the customer.
func (m toldMessage) subject() string {
	var data struct {
		Type   string
		ID     int64
		Member struct {
			CustomerID int64 `json:"customer_id"`
		}
	}
	_ = json.Unmarshal(m.Data, &data)
	if data.Member.CustomerID != 0 {
		return fmt.Sprint("customer ", data.Member.CustomerID)
	}
	return fmt.Sprint(data.Type, " ", data.ID)
}

func newHookReceiver(t *testing.T, seed uint64) *hookReceiver {
	t.Helper()
	r := &hookReceiver{
		t: t, rng: rand.New(rand.NewPCG(seed, 9)),
		bodies: map[string]string{}, told: map[string][]toldMessage{}, known: map[string]bool{}, waiting: map[string]map[string]bool{},
	}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *hookReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed
	}
	defer r.arrivals.Add(1)
	switch r.receive(req.URL.Path, req.Header.Get("webhook-id"), string(body)) {
	case http.StatusInternalServerError:
		w.WriteHeader(http.StatusInternalServerError)
	case 0:
		panic(http.ErrAbortHandler) // closes the connection
	}
}

// receive writes down a message, and returns the status of the response, or 0 for none.
func (r *hookReceiver) receive(path, id, body string) (status int) {
	var m toldMessage
	if err := json.Unmarshal([]byte(body), &m); err != nil || !strings.HasPrefix(id, "msg_") {
		r.t.Errorf("%s: message %q: %s, %v", path, id, body, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, again := r.bodies[path+id]; again && before != body {
		r.t.Errorf("%s: message %s was %s, and is %s", path, id, before, body)
	}
	_, again := r.bodies[path+id]
	r.bodies[path+id] = body
	r.checkTurn(path, m, again)
	fate := 100
	if !r.reliable.Load() {
		fate = r.rng.IntN(100)
	}
	if fate < 4 {
		return []int{0, http.StatusInternalServerError}[fate%2]
	}
	r.accept(path, m)
	if fate < 6 { // it has processed the message, and Cohort does not learn of that
		return []int{0, http.StatusInternalServerError}[fate%2]
	}
	return http.StatusOK
}

// checkTurn checks that all earlier messages about a subject have been accepted when the next
// one comes for the first time.
func (r *hookReceiver) checkTurn(path string, m toldMessage, again bool) {
	key := path + " " + m.subject()
	if again {
		return
	}
	for hash := range r.waiting[key] {
		r.t.Errorf("%s: %s comes before %s was accepted", key, m.Hash, hash)
	}
	if r.waiting[key] == nil {
		r.waiting[key] = map[string]bool{}
	}
	r.waiting[key][m.Hash] = true
}

func (r *hookReceiver) accept(path string, m toldMessage) {
	if r.known[path+m.Hash] {
		r.repeats++
		return
	}
	r.known[path+m.Hash] = true
	r.told[path] = append(r.told[path], m)
	delete(r.waiting[path+" "+m.subject()], m.Hash)
}

// has reports whether a message was accepted.
func (r *hookReceiver) has(path, hash string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[path+hash]
}
