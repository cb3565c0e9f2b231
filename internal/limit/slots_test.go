package limit

import (
	"context"
	"strconv"
	"testing"
	"time"

	"cohort.example/cohort/internal/limit/redistest"
)

func newBackground() context.Context { return context.Background() }

// The slots of a node that died come back; those of the living stay.
func TestSlotsOfTheDeadComeBack(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	terms := patient
	terms.lease = 1500 * time.Millisecond
	dead, alive := mustShare(t, url, terms), mustShare(t, url, terms)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 3}
	dead.admits(t, r)
	dead.admits(t, r)
	dead.idle()
	alive.admits(t, r) // and with it, Redis keeps the key
	alive.refuses(t, r, Concurrency)
	until(t, "a place comes back", func() bool {
		d, _ := alive.Admit(r)
		return d.Refused == ""
	})
	until(t, "and the other", func() bool {
		d, _ := alive.Admit(r)
		return d.Refused == ""
	})
	// The third is the living node's own.
	alive.refuses(t, r, Concurrency)
}

// A request that takes longer than a lease keeps its slot.
func TestSlotsAreRenewed(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	terms := patient
	terms.lease = 1500 * time.Millisecond
	holder, other := mustShare(t, url, terms), mustShare(t, url, terms)
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
	until(t, "the first lease is over", func() bool {
		other.refuses(t, r, Concurrency)
		now, err := other.client.Time(t.Context()).Result()
		return err == nil && float64(now.UnixMilli()) > first
	})
	other.refuses(t, r, Concurrency)
	if ends() <= first {
		t.Error("the lease is not renewed, and no one was let in")
	}
	done()
	until(t, "the place is free", func() bool {
		d, _ := other.Admit(r)
		return d.Refused == ""
	})
}

// Whoever comes after another request's end finds its place free, however late
// the removal is.
func TestFreedSlotsAreSentAlong(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patient)
	n.idle()
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	for range 3 * maxSent {
		n.admits(t, r)()
	}
	last := n.admits(t, r)
	n.refuses(t, r, Concurrency)
	last()
	if n.DecidedLocally() != 0 {
		t.Errorf("it was decided alone:\n%s", n.log)
	}
}

// What waits for its removal is bounded, and forgotten when it is removed.
func TestFreedSlotsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSlots()
	for i := range 2 * maxFreed {
		at, _ := s.name("gate " + strconv.Itoa(i%10))
		s.hold(at, true)
		if removed := s.free(at); removed != (i < maxFreed) {
			t.Fatalf("slot %d is to be removed: %v", i+1, removed)
		}
	}
	batch := s.removable()
	s.forget(batch)
	if s.waiting != 0 || len(s.freed) != 0 || len(s.held) != 0 {
		t.Errorf("after the removal %d wait, %d gates have freed slots and %d held ones", s.waiting, len(s.freed), len(s.held))
	}
	// What Redis cannot know needs no removal.
	at, _ := s.name("gate")
	s.hold(at, false)
	if s.free(at) {
		t.Error("a slot that was never in Redis is to be removed")
	}
	// A renewal makes it known.
	s.hold(at, false)
	if all := s.renewable(); len(all["gate"]) != 1 {
		t.Errorf("to be renewed: %v", all)
	}
	if !s.free(at) {
		t.Error("a slot that was renewed stays in Redis")
	}
}

// More slots than fit into one batch are renewed, and removed.
func TestManySlots(t *testing.T) {
	t.Parallel()
	n := mustShare(t, redistest.URL(t), patient)
	n.idle()
	r := Request{Store: newStore(), Operation: "list", Concurrency: 1}
	const many = 2*maxBatch + 7
	held := make([]slot, many)
	for i := range held {
		held[i], _ = n.slots.name(concurrencyKey(&r))
		n.slots.hold(held[i], false)
	}
	if err := n.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := n.held(t, r); got != many {
		t.Errorf("%d of %d slots are renewed", got, many)
	}
	for _, at := range held {
		n.slots.free(at)
	}
	if err := n.removeFreed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := n.held(t, r); got != 0 {
		t.Errorf("%d of %d slots are not removed", got, many)
	}
}

// Who goes in order leaves nothing behind.
func TestCloseGivesSlotsBack(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	leaving, staying := mustShare(t, url, patient), mustShare(t, url, patient)
	r := Request{Store: newStore(), Operation: "list", Concurrency: 2}
	done := leaving.admits(t, r)
	leaving.admits(t, r)
	staying.refuses(t, r, Concurrency)
	if err := leaving.Close(); err != nil {
		t.Error(err)
	}
	done() // a request that was cut off ends after it
	staying.admits(t, r)
	staying.admits(t, r)
	staying.refuses(t, r, Concurrency)
}
