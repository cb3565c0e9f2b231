package outbox_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

// The lease of a node that crashed expires after 10 seconds, and not before.
func TestLeaseOfACrashedNode(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.put(t, message("5"))
		lost := f.lease(t)
		if len(lost) != 1 {
			t.Fatalf("leased %+v", lost)
		}
		time.Sleep(10*time.Second - time.Millisecond)
		if leased := f.lease(t); len(leased) != 0 {
			t.Errorf("leased twice: %+v", leased)
		}
		time.Sleep(time.Millisecond)
		if out := f.attempt(t); out.Failure != nil {
			t.Error(out.Failure)
		}
		f.system.calls()
		// A node that was only suspended makes no call after its lease has expired.
		out := f.outbox.Attempt(t.Context(), lost[0])
		if calls := f.system.calls(); len(calls) != 0 || out.Failure == nil {
			t.Errorf("without a lease: calls %+v, failure %v", calls, out.Failure)
		}
	})
}

// After a crash another node delivers the messages of requests and workers again.
func TestCrashRedelivers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		crashed := f.node(t)
		pending(t.Context(), t, f, crashed, message("5"))
		f.put(t, many(3, "a", "x")...)
		if leased, err := crashed.Lease(t.Context(), 9); len(leased) != 3 || err != nil {
			t.Fatalf("leased %+v, %v", leased, err)
		}
		f.run(t)
		time.Sleep(9 * time.Second)
		f.wantEntries(t, 4)
		if calls := f.system.calls(); len(calls) != 0 {
			t.Errorf("calls during the leases: %+v", calls)
		}
		time.Sleep(2 * time.Second)
		f.wantEntries(t, 0)
		if calls := f.system.calls(); len(calls) != 4 {
			t.Errorf("calls %+v", calls)
		}
		f.wantNoLog(t)
	})
}

// Workers of two nodes never make attempts at one message at the same time, and none
// after it is delivered.
func TestTwoNodesShareTheMessages(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const messages = 120
		rng, mu := rand.New(rand.NewPCG(1, 2)), sync.Mutex{}
		f.system.respond = func(context.Context, outbox.Message) error {
			mu.Lock()
			pause := time.Duration(rng.IntN(400)) * time.Millisecond
			mu.Unlock()
			time.Sleep(pause)
			return nil
		}
		for i := range messages / 10 {
			f.put(t, many(10, "a", fmt.Sprint("destination", i))...)
		}
		for _, o := range []*outbox.Outbox{f.outbox, f.node(t)} {
			runOutbox(t, o, &f.log, nil)
		}
		for len(f.entries(t)) > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		seen := map[string]int{}
		for _, m := range f.system.calls() {
			seen[m.Subject]++
		}
		for name, n := range seen {
			if n != 1 {
				t.Errorf("%d calls about %s", n, name)
			}
		}
		if len(seen) != messages {
			t.Errorf("calls about %d subjects", len(seen))
		}
		f.wantNoLog(t)
	})
}

// A node leaves messages of kinds without a handler to other nodes.
func TestOtherKindsAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		other := outbox.New(f.db, time.Now, nil)
		other.Handle("other", outbox.Kind{Handler: f.system, Timeout: time.Minute})
		f.put(t, message("5"))
		f.update(t, func(tx *db.Tx) error {
			m := message("6")
			m.Kind = "other"
			return other.Put(tx, m)
		})
		leased, err := other.Lease(t.Context(), 9)
		if len(leased) != 1 || leased[0].Kind != "other" || err != nil {
			t.Fatalf("leased %+v, %v", leased, err)
		}
		for _, e := range f.entries(t) {
			if want := e.Kind == "other"; e.Leased(time.Now()) != want || e.Leased(time.Now().Add(68*time.Second)) {
				t.Errorf("%+v", e)
			}
		}
		f.run(t)
		f.wantEntries(t, 1)
		idle := outbox.New(f.db, time.Now, nil)
		if idle.HasKinds() || !other.HasKinds() {
			t.Error("HasKinds")
		}
		idle.Run(t.Context(), nil) // returns at once
	})
}

// The messages of a deleted store are not delivered.
func TestDeletedStore(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.addStores(t, "b")
		f.put(t, append(many(1, "a", ""), many(1, "b", "")...)...)
		f.update(t, func(tx *db.Tx) error { return tx.MarkStoreDeleted("a", time.Now()) })
		if leased := f.lease(t); len(leased) != 1 || leased[0].Store != "b" {
			t.Errorf("leased %+v", leased)
		}
	})
}
