package limit

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort/internal/limit/redistest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// After any sequence of requests, the script in Redis and Memory make the same decision
// about the next one.
func TestScriptMatchesMemory(t *testing.T) {
	t.Parallel()
	timing := patientTiming
	timing.lease = time.Hour // no slot expires during the test
	n := mustShare(t, redistest.URL(t), timing)
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		m := NewMemory(c.now)
		store := newStore()
		type running struct {
			at   slot
			done func()
		}
		var all []running
		limits := map[string]int{}
		freed := map[string][]string{} // still in Redis
		rt.Repeat(map[string]func(*rapid.T){
			"admit": func(rt *rapid.T) {
				r := Request{Store: store, Operation: rapid.SampledFrom([]string{"list", "create"}).Draw(rt, "operation")}
				r.Concurrency = rapid.IntRange(0, 4).Draw(rt, "concurrency")
				if rapid.Bool().Draw(rt, "rated") {
					r.PerPath, r.PerStore = rapid.IntRange(1, 4).Draw(rt, "per path"), rapid.IntRange(1, 6).Draw(rt, "per store")
					r.Path = rapid.SampledFrom([]string{"1/", "2/"}).Draw(rt, "path")
				}
				if r.Metered = rapid.Bool().Draw(rt, "metered"); r.Metered {
					r.Quota = rapid.IntRange(0, 8).Draw(rt, "quota")
				}
				if r.unlimited() {
					return
				}
				checked, checkErr := n.runScriptAt(&r, c.Time, slot{concurrencyKey(&r), checkOnly}, freed[concurrencyKey(&r)])
				if diff := cmp.Diff(m.Check(r), checked); diff != "" || checkErr != nil {
					rt.Fatalf("check of %+v (%v) (-memory +redis):\n%s", r, checkErr, diff)
				}
				want, done := m.Admit(r)
				if want.RejectedBy != checked.RejectedBy || want.RetryAfter != checked.RetryAfter {
					rt.Fatalf("%+v: check %+v, then admit %+v", r, checked, want)
				}
				at, _ := n.slots.newSlot(concurrencyKey(&r))
				got, err := n.runScriptAt(&r, c.Time, at, freed[at.key])
				if err != nil {
					rt.Fatal(err)
				}
				if r.Concurrency > 0 {
					delete(freed, at.key)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("%+v (-memory +redis):\n%s", r, diff)
				}
				limits[got.RejectedBy]++
				if got.RejectedBy == "" && r.Concurrency > 0 {
					all = append(all, running{at, done})
				}
			},
			"end": func(rt *rapid.T) {
				if len(all) == 0 {
					rt.Skip("no request is running")
				}
				i := rapid.IntRange(0, len(all)-1).Draw(rt, "which")
				all[i].done()
				freed[all[i].at.key] = append(freed[all[i].at.key], all[i].at.member)
				all = append(all[:i], all[i+1:]...)
			},
			"wait": func(rt *rapid.T) {
				c.advance(time.Duration(rapid.IntRange(0, 40_000).Draw(rt, "ms")) * time.Millisecond)
			},
		})
	})
}

// runScriptAt is runScript at a given time.
func (n *node) runScriptAt(r *Request, now time.Time, at slot, freed []string) (Decision, error) {
	keys, args := n.scriptArgs(r, strconv.FormatInt(now.UnixMilli(), 10), at, freed)
	reply, err := admitScript.Run(newBackground(), n.client, keys, args...).Int64Slice()
	if err != nil {
		return Decision{}, err
	}
	return parseReply(r, reply)
}

// If the clock of Redis is set back, for example by a failover, windows and leases of the
// future do not count.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patientTiming)
	r := allLimits()
	r.Concurrency, r.PerPath, r.PerStore, r.Quota = 1, 1, 1, 1
	now := newClock().Time
	for _, at := range []time.Time{now.Add(time.Hour), now} {
		for _, want := range []string{"", Concurrency} {
			slot, _ := n.slots.newSlot(concurrencyKey(&r))
			d, err := n.runScriptAt(&r, at, slot, nil)
			if err != nil || d.RejectedBy != want {
				t.Errorf("at %v: %+v, %v; want rejection by %q", at, d, err, want)
			}
		}
	}
}

// Concurrent requests on two nodes together get exactly the limit.
func TestTwoNodesShare(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	nodes := []*node{mustShare(t, url, patientTiming), mustShare(t, url, patientTiming)}
	rated := passwordCheck(7)
	rated.Store = newStore()
	for _, c := range []struct {
		name    string
		request Request
		want    int
	}{
		{"quota", Request{Store: newStore(), Quota: 150, Metered: true}, 150},
		{"concurrency", Request{Store: newStore(), Operation: "list", Concurrency: 40}, 40},
		{"rate", rated, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			var granted atomic.Int64
			var wg sync.WaitGroup
			var ends sync.Map
			for i := range 300 {
				wg.Go(func() {
					if d, done := nodes[i%2].Admit(c.request); d.RejectedBy == "" {
						granted.Add(1)
						ends.Store(i, done)
					}
				})
			}
			wg.Wait()
			if granted.Load() != int64(c.want) {
				t.Errorf("two nodes admitted %d requests, want %d", granted.Load(), c.want)
			}
			ends.Range(func(_, done any) bool { done.(func())(); return true })
			if c.request.Concurrency > 0 {
				until(t, "all slots are free", func() bool { return nodes[0].held(t, c.request) == 0 })
			}
		})
	}
	for _, n := range nodes {
		if got := n.DecidedLocally(); got != 0 {
			t.Errorf("%d local decisions:\n%s", got, n.log)
		}
	}
}

// The script is loaded again after SCRIPT FLUSH, as after a restart of Redis.
func TestScriptIsReloaded(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL("")
	n := mustShare(t, url, patientTiming)
	r := Request{Store: newStore(), Quota: 2, Metered: true}
	for _, want := range []string{"", "", Quota} {
		if err := clientOf(t, url).ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if d, _ := n.Admit(r); d.RejectedBy != want {
			t.Errorf("%+v, want rejection by %q", d, want)
		}
	}
	if got := n.DecidedLocally(); got != 0 {
		t.Errorf("%d local decisions:\n%s", got, n.log)
	}
}

// allLimits returns a request to which all limits apply.
func allLimits() Request {
	r := passwordCheck(7)
	r.Store, r.Concurrency, r.Quota, r.Metered = newStore(), 40, 100, true
	return r
}

// All keys in Redis expire.
func TestKeysExpire(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patientTiming)
	r := allLimits()
	for range 3 {
		defer n.admits(t, r)()
	}
	keys, err := n.client.Keys(t.Context(), "*"+r.Store+"*").Result()
	if err != nil || len(keys) != 4 {
		t.Fatalf("keys %q, %v; want four", keys, err)
	}
	for _, key := range keys {
		if left := n.client.PTTL(t.Context(), key).Val(); left <= 0 || left > time.Minute {
			t.Errorf("%s expires in %v", key, left)
		}
	}
}

// The script runs on Redis Cluster: all its keys are on one node.
func TestRedisCluster(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	bus, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, busPort, _ := net.SplitHostPort(bus.Addr().String())
	l.Close()
	bus.Close()
	url := redistest.Start(t, "--port", strconv.Itoa(port), "--cluster-port", busPort, "--cluster-enabled", "yes").URL("")
	c := clientOf(t, url)
	if err := c.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, "the cluster is ready", func() bool {
		return strings.Contains(c.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	n := mustShare(t, url, patientTiming)
	for range 20 {
		r := allLimits()
		done := n.admits(t, r)
		done()
		n.admits(t, r)() // removes the freed slot
	}
	if got := n.DecidedLocally(); got != 0 {
		t.Errorf("%d local decisions:\n%s", got, n.log)
	}
	slots := map[int64]bool{}
	for i := range 20 {
		slots[c.ClusterKeySlot(t.Context(), fmt.Sprintf("cohort:{%d}:quota", i)).Val()] = true
	}
	if len(slots) < 10 {
		t.Errorf("20 stores are in %d hash slots, want at least 10", len(slots))
	}
}

// A request without limits sends nothing to Redis and does not count as a decision.
func TestUnlimitedRequest(t *testing.T) {
	t.Parallel()
	f := startFakeRedis(t)
	n := mustShare(t, f.url(), patientTiming)
	before := f.admits.Load()
	d, done := n.Admit(Request{Store: newStore(), Operation: "get"})
	done()
	if d != (Decision{}) || f.admits.Load() != before {
		t.Errorf("%+v, after %d admissions in Redis", d, f.admits.Load()-before)
	}
	// The same counters move for a request with limits.
	n.admits(t, Request{Store: newStore(), Metered: true, Quota: 1})()
	if f.admits.Load() != before+1 {
		t.Errorf("a metered request: %d admissions in Redis, want 1", f.admits.Load()-before)
	}
	f.reply.Store("-ERR broken\r\n")
	n.admits(t, Request{Store: newStore(), Metered: true, Quota: 1})()
	n.admits(t, Request{Store: newStore(), Operation: "get"})()
	if got := n.DecidedLocally(); got != 1 {
		t.Errorf("%d local decisions, want 1", got)
	}
}
