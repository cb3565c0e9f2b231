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

// Whatever the history, what decides in Redis decides as what decides in
// memory: who is let in, the figures of the quota, the time to come again.
func TestScriptDecidesAsMemory(t *testing.T) {
	t.Parallel()
	terms := patient
	terms.lease = time.Hour // slots come back by being given back
	n := mustShare(t, redistest.URL(t), terms)
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		m := NewMemory(c.now)
		store := newStore()
		type underway struct {
			at   slot
			done func()
		}
		var all []underway
		limits := map[string]int{}
		freed := map[string][]string{} // not removed from Redis yet
		rt.Repeat(map[string]func(*rapid.T){
			"admit": func(rt *rapid.T) {
				r := Request{Store: store, Operation: rapid.SampledFrom([]string{"list", "create"}).Draw(rt, "operation")}
				r.Concurrency = rapid.IntRange(0, 4).Draw(rt, "at once")
				if rapid.Bool().Draw(rt, "rated") {
					r.PerPath, r.PerStore = rapid.IntRange(1, 4).Draw(rt, "per path"), rapid.IntRange(1, 6).Draw(rt, "per store")
					r.Path = rapid.SampledFrom([]string{"1/", "2/"}).Draw(rt, "path")
				}
				if r.Metered = rapid.Bool().Draw(rt, "metered"); r.Metered {
					r.Quota = rapid.IntRange(0, 8).Draw(rt, "quota")
				}
				if r.free() {
					return
				}
				peeked, peekErr := n.askAt(&r, c.Time, slot{concurrencyKey(&r), onlyPeek}, freed[concurrencyKey(&r)])
				if diff := cmp.Diff(m.Peek(r), peeked); diff != "" || peekErr != nil {
					rt.Fatalf("a look at %+v (%v) (-memory +redis):\n%s", r, peekErr, diff)
				}
				want, done := m.Admit(r)
				if want.Refused != peeked.Refused || want.RetryAfter != peeked.RetryAfter {
					rt.Fatalf("%+v: a look says %+v, and then comes %+v", r, peeked, want)
				}
				at, _ := n.slots.name(concurrencyKey(&r))
				got, err := n.askAt(&r, c.Time, at, freed[at.gate])
				if err != nil {
					rt.Fatal(err)
				}
				if r.Concurrency > 0 {
					delete(freed, at.gate)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("%+v (-memory +redis):\n%s", r, diff)
				}
				limits[got.Refused]++
				if got.Refused == "" && r.Concurrency > 0 {
					all = append(all, underway{at, done})
				}
			},
			"end": func(rt *rapid.T) {
				if len(all) == 0 {
					rt.Skip("nothing is under way")
				}
				i := rapid.IntRange(0, len(all)-1).Draw(rt, "which")
				all[i].done()
				freed[all[i].at.gate] = append(freed[all[i].at.gate], all[i].at.member)
				all = append(all[:i], all[i+1:]...)
			},
			"wait": func(rt *rapid.T) {
				c.advance(time.Duration(rapid.IntRange(0, 40_000).Draw(rt, "ms")) * time.Millisecond)
			},
		})
	})
}

// askAt asks at a time of the test's choice.
func (n *node) askAt(r *Request, now time.Time, at slot, freed []string) (Decision, error) {
	keys, args := n.question(r, strconv.FormatInt(now.UnixMilli(), 10), at, freed)
	answer, err := admitScript.Run(newBackground(), n.client, keys, args...).Int64Slice()
	if err != nil {
		return Decision{}, err
	}
	return decision(r, answer)
}

// When Redis' clock goes back, as it may when another takes over, nothing stays
// taken until it is where it was.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patient)
	r := everything()
	r.Concurrency, r.PerPath, r.PerStore, r.Quota = 1, 1, 1, 1
	now := newClock().Time
	for _, at := range []time.Time{now.Add(time.Hour), now} {
		for _, want := range []string{"", Concurrency} {
			slot, _ := n.slots.name(concurrencyKey(&r))
			d, err := n.askAt(&r, at, slot, nil)
			if err != nil || d.Refused != want {
				t.Errorf("at %v: %+v, %v; want it refused by %q", at, d, err, want)
			}
		}
	}
}

// Many at once on two nodes get each limit between them, no more and no less.
func TestTwoNodesShare(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	nodes := []*node{mustShare(t, url, patient), mustShare(t, url, patient)}
	rated := trial(7)
	rated.Store = newStore()
	for _, c := range []struct {
		name    string
		request Request
		want    int
	}{
		{"quota", Request{Store: newStore(), Quota: 150, Metered: true}, 150},
		{"at once", Request{Store: newStore(), Operation: "list", Concurrency: 40}, 40},
		{"rate", rated, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			var granted atomic.Int64
			var wg sync.WaitGroup
			var ends sync.Map
			for i := range 300 {
				wg.Go(func() {
					if d, done := nodes[i%2].Admit(c.request); d.Refused == "" {
						granted.Add(1)
						ends.Store(i, done)
					}
				})
			}
			wg.Wait()
			if granted.Load() != int64(c.want) {
				t.Errorf("two nodes let %d in, want %d", granted.Load(), c.want)
			}
			ends.Range(func(_, done any) bool { done.(func())(); return true })
			if c.request.Concurrency > 0 {
				until(t, "all places are free again", func() bool { return nodes[0].held(t, c.request) == 0 })
			}
		})
	}
	for _, n := range nodes {
		if got := n.DecidedLocally(); got != 0 {
			t.Errorf("%d were decided alone:\n%s", got, n.log)
		}
	}
}

// Redis forgets the script when it is told to, or started anew.
func TestScriptIsLoadedAgain(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL("")
	n := mustShare(t, url, patient)
	r := Request{Store: newStore(), Quota: 2, Metered: true}
	for _, want := range []string{"", "", Quota} {
		if err := clientOf(t, url).ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if d, _ := n.Admit(r); d.Refused != want {
			t.Errorf("%+v, want it refused by %q", d, want)
		}
	}
	if got := n.DecidedLocally(); got != 0 {
		t.Errorf("%d were decided alone:\n%s", got, n.log)
	}
}

// everything is a request for which all limits hold.
func everything() Request {
	r := trial(7)
	r.Store, r.Concurrency, r.Quota, r.Metered = newStore(), 40, 100, true
	return r
}

// Nothing stays in Redis for ever.
func TestKeysExpire(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patient)
	r := everything()
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

// A Redis Cluster takes the script: its keys are all on one node.
func TestClusterTakesKeys(t *testing.T) {
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
	n := mustShare(t, url, patient)
	for range 20 {
		r := everything()
		done := n.admits(t, r)
		done()
		n.admits(t, r)() // takes along what has been freed
	}
	if got := n.DecidedLocally(); got != 0 {
		t.Errorf("%d were decided alone:\n%s", got, n.log)
	}
	slots := map[int64]bool{}
	for i := range 20 {
		slots[c.ClusterKeySlot(t.Context(), fmt.Sprintf("cohort:{%d}:quota", i)).Val()] = true
	}
	if len(slots) < 10 {
		t.Errorf("20 stores are in %d parts of the cluster", len(slots))
	}
}

// What has no limit costs no question, and is no decision.
func TestNothingToDecide(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	n := mustShare(t, f.url(), patient)
	before := f.asked.Load()
	d, done := n.Admit(Request{Store: newStore(), Operation: "get"})
	done()
	if d != (Decision{}) || f.asked.Load() != before {
		t.Errorf("%+v, after %d questions", d, f.asked.Load()-before)
	}
	// A counter that is not moved by anything would show nothing.
	n.admits(t, Request{Store: newStore(), Metered: true, Quota: 1})()
	if f.asked.Load() != before+1 {
		t.Errorf("a metered request: %d questions, want 1", f.asked.Load()-before)
	}
	f.answer.Store("-ERR broken\r\n")
	n.admits(t, Request{Store: newStore(), Metered: true, Quota: 1})()
	n.admits(t, Request{Store: newStore(), Operation: "get"})()
	if got := n.DecidedLocally(); got != 1 {
		t.Errorf("%d were decided alone, want 1", got)
	}
}
