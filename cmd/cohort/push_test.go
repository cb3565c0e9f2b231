package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort/internal/pricing"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

const pricingSecret = "a secret of these tests"

// discountCall is a call to the pricing system.
type discountCall struct {
	Key      string `json:"idempotency_key"`
	Version  int64  `json:"version"`
	GroupID  int64  `json:"customer_group_id"`
	Discount *struct{ Method, Amount string }
}

// pricingSystem implements docs/pricing-system.md. Sometimes it responds with
// an error although it has applied the call.
type pricingSystem struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	rng     *rand.Rand
	groups  map[int64]discountCall // the calls in effect
	keys    map[string]string      // the body of each key
	version map[int64]string       // the key of each version
	applied map[string]int         // number of times, by key
	calls   int
}

func newPricingSystem(t *testing.T, seed uint64) *pricingSystem {
	t.Helper()
	s := &pricingSystem{
		t: t, rng: rand.New(rand.NewPCG(seed, 7)),
		groups: map[int64]discountCall{}, keys: map[string]string{}, version: map[int64]string{}, applied: map[string]int{},
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *pricingSystem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed
	}
	at, _ := strconv.ParseInt(r.Header.Get(pricing.TimestampHeader), 10, 64)
	if pricing.Sign([]byte(pricingSecret), time.Unix(at, 0), body) != r.Header.Get(pricing.SignatureHeader) {
		s.t.Errorf("a call is not signed: %s", body)
		return
	}
	var call discountCall
	if err := json.Unmarshal(body, &call); err != nil || call.Key != r.Header.Get(pricing.KeyHeader) {
		s.t.Errorf("%s with the key %s: %v", body, r.Header.Get(pricing.KeyHeader), err)
	}
	if s.apply(call, string(body)) {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"idempotency_key": call.Key})
}

// apply applies a call once, unless it is older than the one in effect. It
// reports whether to respond with an error.
func (s *pricingSystem) apply(call discountCall, body string) (fail bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if before, again := s.keys[call.Key]; again && before != body {
		s.t.Errorf("key %s has the bodies %s and %s", call.Key, before, body)
	}
	if key, again := s.version[call.Version]; again && key != call.Key {
		s.t.Errorf("version %d has the keys %s and %s", call.Version, key, call.Key)
	}
	s.keys[call.Key], s.version[call.Version] = body, call.Key
	if call.Version > s.groups[call.GroupID].Version {
		s.groups[call.GroupID] = call
		s.applied[call.Key]++
	}
	return s.rng.IntN(10) == 0
}

// amount returns the discount of a group that is in effect, "" for none.
func (s *pricingSystem) amount(group int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.groups[group].Discount; d != nil {
		return d.Amount
	}
	return ""
}

// The process is killed repeatedly while clients change discounts. In the end
// the pricing system has the discounts of all groups. It has applied each
// change at most once; an older change that arrives after a newer one is not
// applied.
//
// COHORT_CRASH_KILLS is the number of kills, COHORT_CRASH_SEED the seed of the
// random numbers.
func TestKilledWhileSendingDiscounts(t *testing.T) {
	t.Parallel()
	eachOrSQLite(t, func(t *testing.T, url string) {
		kills := setting(t, "COHORT_CRASH_KILLS", testenv.Times[uint64](6, 1))
		seed := setting(t, "COHORT_CRASH_SEED", rand.Uint64())
		t.Logf("COHORT_CRASH_SEED=%d", seed)
		rng := rand.New(rand.NewPCG(seed, 1))
		system := newPricingSystem(t, seed)
		flags := []string{"--db", url, "--pricing-url", system.URL, "--pricing-secret", pricingSecret}
		var answered atomic.Int64
		for range kills {
			p := serve(t, flags...)
			// Some answers, so that there are groups with discounts, of which few are deleted.
			stop := answered.Load() + fewAnswers + rng.Int64N(60)
			var all sync.WaitGroup
			gone := make(chan struct{})
			for range 6 {
				mine := rand.New(rand.NewPCG(rng.Uint64(), 0))
				all.Go(func() { changeDiscounts(t, p, mine, gone, &answered) })
			}
			for answered.Load() < stop {
				select {
				case <-p.ended:
					t.Errorf("the server ended: %v\n%s", p.err, &p.log)
					stop = 0
				case <-time.After(time.Millisecond):
				}
			}
			p.kill(t)
			close(gone)
			all.Wait()
			awaitNoConnections(t, url)
		}
		p := serve(t, flags...)
		awaitNoJobs(t, url)
		compareDiscounts(t, p, system)
		t.Logf("%d calls, %d responses", system.calls, answered.Load())
	})
}

// fewAnswers is how many requests are answered at least before a kill. A quarter of them
// creates a group with a discount.
const fewAnswers = 30

// groupsOfTest is the approximate number of groups.
const groupsOfTest = 25

// changeDiscounts creates, changes and deletes groups until the process has
// ended.
func changeDiscounts(t *testing.T, p *process, rng *rand.Rand, gone <-chan struct{}, answered *atomic.Int64) {
	for {
		select {
		case <-gone:
			return
		default:
		}
		method, path, body := http.MethodPut, fmt.Sprint("/customer_groups/", 1+rng.IntN(groupsOfTest)), fmt.Sprintf(
			`{"discount_rules":[{"type":"all","method":"percent","amount":"%d.%04d"}]}`, rng.IntN(100), rng.IntN(10_000))
		switch rng.IntN(12) {
		case 0:
			body = `{"discount_rules":[]}`
		case 1, 2, 3:
			method, path, body = http.MethodPost, "/customer_groups", strings.TrimSuffix(newGroupBody("x"), "}")+","+body[1:]
		case 4:
			if rng.IntN(4) == 0 {
				method, body = http.MethodDelete, ""
			}
		}
		status, text, err := p.send(method, path, body)
		if err != nil {
			continue // the process was killed
		}
		answered.Add(1)
		switch status {
		case 200, 204, 207, 404:
		default:
			t.Errorf("%s %s %s: %d %s", method, path, body, status, text)
		}
	}
}

// send sends a request with a body.
func (p *process) send(method, path, body string) (status int, text string, err error) {
	req, err := http.NewRequest(method, p.url+"/stores/demo/v2"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-Auth-Token", "demo-token")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// awaitNoJobs waits until no job is left.
func awaitNoJobs(t *testing.T, url string) {
	t.Helper()
	d := openDB(t, url)
	defer d.Close()
	svc := service.New(d)
	deadline := time.Now().Add(2 * time.Minute)
	for {
		jobs, err := svc.Outbox().List(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("jobs are left: %+v", jobs)
		}
		<-time.After(pollPause)
	}
}

// compareDiscounts compares the discounts of the groups with those in effect.
func compareDiscounts(t *testing.T, p *process, system *pricingSystem) {
	t.Helper()
	status, text, err := p.send(http.MethodGet, "/customer_groups?limit=250", "")
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s, %v", status, text, err)
	}
	var groups []struct {
		ID            int64                     `json:"id"`
		DiscountRules []struct{ Amount string } `json:"discount_rules"`
	}
	if err := json.Unmarshal([]byte(text), &groups); err != nil {
		t.Fatal(err)
	}
	kept := map[int64]string{}
	for _, g := range groups {
		for _, r := range g.DiscountRules {
			kept[g.ID] = r.Amount
		}
	}
	system.mu.Lock()
	ids := map[int64]bool{}
	for id := range system.groups {
		ids[id] = true
	}
	for key, n := range system.applied {
		if n != 1 {
			t.Errorf("key %s is applied %d times", key, n)
		}
	}
	system.mu.Unlock()
	for id := range kept {
		ids[id] = true
	}
	for id := range ids {
		if got := system.amount(id); got != kept[id] {
			t.Errorf("group %d has the discount %q, but %q is in effect", id, kept[id], got)
		}
	}
	if len(kept) == 0 || system.calls < len(kept) {
		t.Errorf("%d groups, %d calls: too few for this test", len(kept), system.calls)
	}
}
