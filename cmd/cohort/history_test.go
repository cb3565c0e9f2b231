package main_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The kinds of things that clients create, as in paths.
const (
	aGroup    = "customer_groups"
	aCustomer = "customers"
)

// history is the work of some clients of some stores and the responses they
// got, over several runs of the server.
type history struct {
	t       *testing.T
	db      string // its URL
	http    *http.Client
	server  *process
	ledgers []*ledger
	clients []*client

	// bulk is a list of further categories for a group, to fill the disk.
	bulk string
	// mayBeFull allows a request to be rejected because the disk is full.
	mayBeFull bool

	clock                        atomic.Int64 // incremented by every request and response
	sent, acknowledged, rejected atomic.Int64
	over                         atomic.Bool            // clients begin no more requests
	noted                        atomic.Pointer[func()] // called after every increment of a count

	// Of the requests without a response: their number, and how many had been
	// processed.
	inDoubt, doneInDoubt int
}

// newHistory starts a server on a database without rows, with three stores of
// three clients each.
func newHistory(t *testing.T, url string, seed uint64) *history {
	t.Helper()
	h := &history{t: t, db: url, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 16},
		Timeout:   time.Minute,
	}}
	h.server = serve(t, "--db", h.db)
	h.addStore("demo", "demo-token", seed)
	for _, store := range []string{"b", "c"} {
		h.run("store", "create", store)
		h.addStore(store, h.run("token", "create", "--store", store, "--scope", "store_v2_customers"), seed)
	}
	return h
}

// run runs a command on the database and returns its standard output.
func (h *history) run(args ...string) string {
	h.t.Helper()
	out, err := command(h.t, append(args, "--db", h.db)...).Output()
	if err != nil {
		h.t.Fatalf("%v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func (h *history) addStore(store, token string, seed uint64) {
	l := newLedger(store, token)
	h.ledgers = append(h.ledgers, l)
	for range 3 {
		h.clients = append(h.clients, &client{
			history: h, ledger: l,
			name: fmt.Sprint("client ", len(h.clients)),
			rng:  rand.New(rand.NewPCG(seed, uint64(len(h.clients)))),
			kept: map[string]map[int64]thing{aGroup: {}, aCustomer: {}},
		})
	}
}

// restart starts the next server and checks that all acknowledged changes are
// there.
func (h *history) restart(when string) {
	h.t.Helper()
	h.http.CloseIdleConnections()
	h.server = serve(h.t, "--db", h.db)
	h.check(when)
}

// work makes all clients send one request after another. When enough returns
// true it calls end, which has to stop the clients. It returns when they have
// stopped.
func (h *history) work(enough func() bool, end func()) {
	h.t.Helper()
	due, ended := make(chan struct{}), make(chan struct{})
	isDue := sync.OnceFunc(func() { close(due) })
	h.over.Store(false)
	noted := func() {
		if enough() {
			isDue()
		}
	}
	h.noted.Store(&noted)
	var clients sync.WaitGroup
	for _, c := range h.clients {
		clients.Go(func() {
			for !h.over.Load() && c.step() {
			}
		})
	}
	go func() {
		clients.Wait()
		close(ended)
	}()
	select {
	case <-due:
	case <-ended:
	case <-time.After(2 * time.Minute):
		h.t.Error("the condition to stop is not reached")
	}
	end()
	<-ended
	if h.t.Failed() {
		h.t.FailNow()
	}
}

// finish is an end for work that lets the requests under way finish.
func (h *history) finish() { h.over.Store(true) }

// kill is an end for work that kills the server.
func (h *history) kill() {
	h.server.kill(h.t)
	awaitNoConnections(h.t, h.db)
}

// note increments a count.
func (h *history) note(count *atomic.Int64) {
	count.Add(1)
	(*h.noted.Load())()
}

// response is the response to a request.
type response struct {
	status     int
	retryAfter string
	body       string
	sent       bool // with an error: whether the server may have received the request
}

// send sends a request and reads the whole response.
func (h *history) send(l *ledger, method, path string, body []byte) (a response, err error) {
	req, err := http.NewRequest(method, h.server.url+"/stores/"+l.store+"/v2"+path, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("X-Auth-Token", l.token)
	var sent atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(h.t.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) {
			if method != http.MethodGet {
				h.note(&h.sent)
			}
		},
	}))
	res, err := h.http.Do(req)
	if err != nil {
		return response{sent: sent.Load()}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	// Links contain the address of the server, which changes with every
	// restart.
	return response{
		status: res.StatusCode, retryAfter: res.Header.Get("Retry-After"), sent: true,
		body: strings.ReplaceAll(string(text), h.server.url, ""),
	}, err
}

// get sends a request that has to succeed.
func (h *history) get(l *ledger, path string, status int) string {
	h.t.Helper()
	a, err := h.send(l, http.MethodGet, path, nil)
	if err != nil || a.status != status {
		h.t.Fatalf("%s%s: %d %.300s, error %v, want %d", l.store, path, a.status, a.body, err, status)
	}
	return a.body
}
