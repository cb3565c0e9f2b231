package main_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/testenv"
)

// hookPaths are the webhooks of the test: their paths at the receiver, and their scopes.
var hookPaths = map[string]string{
	"/groups":    "store/customerGroup/*",
	"/members":   "store/customerGroup/member/*",
	"/customers": "store/customer/*",
	"/created":   "store/customer/created",
}

// Clients change groups and customers while the server is killed at random moments, and the
// receiver of their webhooks fails at random. In the end each committed change was told, in the
// order of the changes of a resource, and nothing else.
//
// COHORT_CRASH_KILLS is the number of kills, COHORT_CRASH_SEED the seed of the random numbers.
func TestKilledWhileTellingWebhooks(t *testing.T) {
	t.Parallel()
	eachOrSQLite(t, testKilledWhileTellingWebhooks)
}

func testKilledWhileTellingWebhooks(t *testing.T, url string) {
	kills := setting(t, "COHORT_CRASH_KILLS", testenv.Times[uint64](10, 3))
	seed := setting(t, "COHORT_CRASH_SEED", rand.Uint64())
	t.Logf("COHORT_CRASH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1<<34))
	h := newHistory(t, url, seed)
	r := newHookReceiver(t, seed)
	demo := h.ledgers[0]
	h.run("store", "update", demo.store, "--events", "on") // all are kept, also those that no webhook needs any more
	for path, scope := range hookPaths {
		body := fmt.Sprintf(`{"scope":%q,"destination":%q}`, scope, r.URL+path)
		if a := h.v3(demo, http.MethodPost, "/v3/hooks", body); a.status != http.StatusOK {
			t.Fatalf("create a webhook: %d %s", a.status, a.body)
		}
	}
	for n := range kills {
		done := func() int64 { return h.sent.Load() + h.acknowledged.Load() + r.arrivals.Load() }
		stop := done() + 1 + rng.Int64N(600)
		h.work(func() bool { return done() >= stop }, h.kill)
		h.forgetDead(url)
		h.restart(fmt.Sprint("after kill ", n+1))
		h.advance(time.Duration(n+1) * 15 * time.Minute) // failed deliveries are due, and no domain is blocked
	}
	// The last kill comes when no client sends anything, and deliveries may be left.
	stop := h.sent.Load() + 200
	h.work(func() bool { return h.sent.Load() >= stop }, h.finish)
	h.kill()
	h.forgetDead(url)
	h.restart("after the last kill")
	r.reliable.Store(true)
	h.awaitTold(r, h.events(demo))
	t.Logf("%d messages, %d of them came again after they were accepted", len(r.bodies), r.repeats)
}

// forgetDead does what the next server cannot do if it does not know that it is alone: it ends
// the leases of the killed one, so that the test need not wait for their end.
func (h *history) forgetDead(url string) {
	h.t.Helper()
	if isFile(url) && runtime.GOOS == "linux" {
		return
	}
	d := openDB(h.t, url)
	defer d.Close()
	err := d.Update(h.t.Context(), func(tx *db.Tx) error {
		left, err := tx.JobLeases(time.Now())
		for _, l := range left {
			if err == nil {
				err = tx.ReleaseJob(l)
			}
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// v3 sends a request to a path after that of the store.
func (h *history) v3(l *ledger, method, path, body string) response {
	h.t.Helper()
	return h.request(method, "/stores/"+l.store+path, l.token, body)
}

// advance moves the clock of the demo store forward.
func (h *history) advance(by time.Duration) {
	h.t.Helper()
	a := h.request(http.MethodPost, "/_cohort/v1/stores/demo/clock/advance", "", fmt.Sprintf(`{"by":%q}`, by))
	if a.status != http.StatusOK {
		h.t.Fatalf("advance the clock: %d %s", a.status, a.body)
	}
}

func (h *history) request(method, path, token, body string) (a response) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.server.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("X-Auth-Token", token)
	}
	res, err := h.http.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		h.t.Fatal(err)
	}
	return response{status: res.StatusCode, body: text.String()}
}

// storedEvent is an event of a store.
type storedEvent struct {
	Number     int64                        `json:"number"`
	Type       cohort.EventKind             `json:"type"`
	GroupID    int64                        `json:"customer_group_id"`
	CustomerID int64                        `json:"customer_id"`
	Changes    map[string][]json.RawMessage `json:"changes"`
}

// events returns all events of a store. It checks that they lead to what the store has.
func (h *history) events(l *ledger) (list []storedEvent) {
	h.t.Helper()
	for after, more := int64(0), true; more; {
		var page struct {
			Data []storedEvent
			Meta struct {
				After int64
				More  bool
			}
		}
		a := h.v3(l, http.MethodGet, fmt.Sprint("/cohort/v1/events?limit=250&after=", after), "")
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != http.StatusOK {
			h.t.Fatalf("events: %d %.300s, %v", a.status, a.body, err)
		}
		list = append(list, page.Data...)
		after, more = page.Meta.After, page.Meta.More
	}
	exist := map[cohort.EventKind]map[int64]bool{aGroup: {}, aCustomer: {}}
	for _, e := range list {
		switch e.Type {
		case cohort.GroupCreated:
			exist[aGroup][e.GroupID] = true
		case cohort.GroupDeleted:
			delete(exist[aGroup], e.GroupID)
		case cohort.CustomerCreated:
			exist[aCustomer][e.CustomerID] = true
		case cohort.CustomerDeleted:
			delete(exist[aCustomer], e.CustomerID)
		}
	}
	for kind, ids := range exist {
		found := h.list(l, string(kind))
		for id := range found {
			if !ids[id] {
				h.t.Errorf("no event says that %s/%d exists", kind, id)
			}
		}
		if len(found) != len(ids) {
			h.t.Errorf("%d %s exist, and %d after the events", len(found), kind, len(ids))
		}
	}
	return list
}

// expectedMessage returns the scope and the data of the message about an event.
func expectedMessage(e storedEvent) (scope, data string) {
	action := e.Type[strings.LastIndex(string(e.Type), ".")+1:]
	switch e.Type {
	case cohort.GroupCreated, cohort.GroupUpdated:
		return fmt.Sprint("store/customerGroup/", action), fmt.Sprintf(`{"type":"customerGroup","id":%d}`, e.GroupID)
	case cohort.GroupDeleted:
		return "store/customerGroup/deleted", fmt.Sprintf(`{"type":"customerGroup","id":%d,"members_unassigned":%s}`, e.GroupID, e.Changes["members"][0])
	case cohort.MemberAdded, cohort.MemberRemoved:
		return fmt.Sprint("store/customerGroup/member/", action), fmt.Sprintf(`{"type":"customerGroup","id":%d,"member":{"customer_id":%d}}`, e.GroupID, e.CustomerID)
	case cohort.CustomerCreated, cohort.CustomerUpdated, cohort.CustomerDeleted:
		return fmt.Sprint("store/customer/", action), fmt.Sprintf(`{"type":"customer","id":%d}`, e.CustomerID)
	}
	return "", ""
}

// expected returns the hashes of the messages that a webhook has to get, with the numbers of
// their events. No hash occurs twice, because a hash contains the number.
func expected(events []storedEvent, scope, storeID string) map[string]int64 {
	numbers := map[string]int64{}
	for _, e := range events {
		of, data := expectedMessage(e)
		if prefix, wildcard := strings.CutSuffix(scope, "*"); of == "" || of != scope && (!wildcard || !strings.HasPrefix(of, prefix)) {
			continue
		}
		sum := sha1.Sum(fmt.Appendf(nil, `{"data":%s,"scope":%q,"store_id":%q,"number":%d}`, data, of, storeID, e.Number))
		numbers[fmt.Sprintf("%x", sum)] = e.Number
	}
	return numbers
}

// awaitTold waits until each webhook is told its events, and checks what it was told.
func (h *history) awaitTold(r *hookReceiver, events []storedEvent) {
	h.t.Helper()
	storeID := ""
	r.mu.Lock()
	for _, list := range r.told {
		storeID = list[0].StoreID
	}
	r.mu.Unlock()
	for path, scope := range hookPaths {
		numbers := expected(events, scope, storeID)
		if len(numbers) == 0 {
			h.t.Errorf("%s: nothing to tell of %d events", path, len(events))
		}
		for hash, number := range numbers {
			h.awaitMessage(r, path, hash, number)
		}
	}
	for path, list := range r.told {
		checkTold(h.t, path, list, expected(events, hookPaths[path], storeID))
	}
}

// awaitMessage waits until a message is told. It moves the clock, so that failed deliveries are
// due.
func (h *history) awaitMessage(r *hookReceiver, path, hash string, number int64) {
	h.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for looks := 0; !r.has(path, hash); looks++ {
		if time.Now().After(deadline) {
			h.t.Fatalf("%s: event %d is not told", path, number)
		}
		if looks%100 == 0 {
			h.advance(2 * time.Hour)
		}
		<-time.After(pollPause)
	}
}

// checkTold checks that everything that a webhook was told happened, and in which order.
func checkTold(t *testing.T, path string, list []toldMessage, numbers map[string]int64) {
	t.Helper()
	last := map[string]int64{}
	for _, m := range list {
		number, ok := numbers[m.Hash]
		if !ok {
			t.Errorf("%s: %s %s is told, and there is no event of it", path, m.Scope, m.Data)
		}
		if number <= last[m.subject()] && ok {
			t.Errorf("%s: %s: event %d is told after %d", path, m.subject(), number, last[m.subject()])
		}
		last[m.subject()] = number
	}
}
