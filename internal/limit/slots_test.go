package limit

import (
	"context"
	"strconv"
	"testing"
	"time"

	"cohort.example/cohort/internal/limit/redistest"
)

func newBackground() context.Context { return context.Background() }

// The slots of a dead node expire; those of a live node do not.
func TestSlotsOfDeadNodeExpire(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	timing := patientTiming
	timing.lease = 1500 * time.Millisecond
	dead, alive := mustShare(t, url, timing), mustShare(t, url, timing)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 3}
	dead.admits(t, r)
	dead.admits(t, r)
	dead.stopBackground()
	alive.admits(t, r) // its slot keeps the whole key from expiring
	alive.rejects(t, r, Concurrency)
	until(t, "the first slot expires", func() bool {
		d, _ := alive.Admit(r)
		return d.RejectedBy == ""
	})
	until(t, "the second slot expires", func() bool {
		d, _ := alive.Admit(r)
		return d.RejectedBy == ""
	})
	// The live node holds the third slot itself.
	alive.rejects(t, r, Concurrency)
}

// A request that runs longer than a lease keeps its slot.
func TestSlotsAreRenewed(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	timing := patientTiming
	timing.lease = 1500 * time.Millisecond
	holder, other := mustShare(t, url, timing), mustShare(t, url, timing)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	done := holder.admits(t, r)
	ends := func() float64 {
		members, err := holder.client.ZRangeWithScores(t.Context(), concurrencyKey(&r), 0, -1).Result()
		if err != nil || len(members) != 1 {
			t.Fatalf("slots %v, %v", members, err)
		}
		return members[0].Score
	}
	first := ends()
	until(t, "the first lease has expired", func() bool {
		other.rejects(t, r, Concurrency)
		now, err := other.client.Time(t.Context()).Result()
		return err == nil && float64(now.UnixMilli()) > first
	})
	other.rejects(t, r, Concurrency)
	if ends() <= first {
		t.Error("the lease was not renewed")
	}
	done()
	until(t, "the slot is free", func() bool {
		d, _ := other.Admit(r)
		return d.RejectedBy == ""
	})
}

// A request that follows another one can use its slot at once, even if the background
// has not removed it.
func TestAdmissionRemovesFreedSlots(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patientTiming)
	n.stopBackground()
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	for range 3 * maxFreedPerAdmit {
		n.admits(t, r)()
	}
	last := n.admits(t, r)
	n.rejects(t, r, Concurrency)
	last()
	if n.DecidedLocally() != 0 {
		t.Errorf("%d local decisions:\n%s", n.DecidedLocally(), n.log)
	}
}

// The number of freed slots is bounded, and removed slots are dropped.
func TestFreedSlotsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSlots()
	for i := range 2 * maxFreed {
		at, _ := s.newSlot("key " + strconv.Itoa(i%10))
		s.hold(at, true)
		if removed := s.free(at); removed != (i < maxFreed) {
			t.Fatalf("slot %d: to be removed: %v", i+1, removed)
		}
	}
	batch := s.removable()
	s.removed(batch)
	if s.waiting != 0 || len(s.freed) != 0 || len(s.held) != 0 {
		t.Errorf("after the removal: %d slots wait, %d keys have freed slots, %d have held slots", s.waiting, len(s.freed), len(s.held))
	}
	// A slot that is not in Redis need not be removed.
	at, _ := s.newSlot("key")
	s.hold(at, false)
	if s.free(at) {
		t.Error("a slot that was never in Redis is to be removed")
	}
	// A renewal adds it to Redis.
	s.hold(at, false)
	if all := s.renewable(); len(all["key"]) != 1 {
		t.Errorf("slots to renew: %v", all)
	}
	if !s.free(at) {
		t.Error("a renewed slot is not to be removed")
	}
}

// More slots than fit into one batch are renewed and removed.
func TestManySlots(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patientTiming)
	n.stopBackground()
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	const many = 2*maxBatch + 7
	held := make([]slot, many)
	for i := range held {
		held[i], _ = n.slots.newSlot(concurrencyKey(&r))
		n.slots.hold(held[i], false)
	}
	if err := n.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := n.held(t, r); got != many {
		t.Errorf("%d of %d slots were renewed", got, many)
	}
	for _, at := range held {
		n.slots.free(at)
	}
	if err := n.removeFreed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := n.held(t, r); got != 0 {
		t.Errorf("%d of %d slots were not removed", got, many)
	}
}

// Close removes the node's slots from Redis.
func TestCloseRemovesSlots(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	leaving, staying := mustShare(t, url, patientTiming), mustShare(t, url, patientTiming)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 2}
	done := leaving.admits(t, r)
	leaving.admits(t, r)
	staying.rejects(t, r, Concurrency)
	if err := leaving.Close(); err != nil {
		t.Error(err)
	}
	done() // a request that was cut off ends after Close
	staying.admits(t, r)
	staying.admits(t, r)
	staying.rejects(t, r, Concurrency)
}
