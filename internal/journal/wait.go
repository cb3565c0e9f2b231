package journal

import (
	"context"
	"slices"
	"time"
)

// maxSettle is how long a reader waits for requests whose responses are being sent.
const maxSettle = time.Second

// settle waits until the requests of a store whose responses had begun when it was called
// are in the journal. A client that has a response finds its request.
func (j *Journal) settle(ctx context.Context, store string) {
	j.mu.Lock()
	last := j.ticket
	j.mu.Unlock()
	timeout := time.NewTimer(maxSettle)
	defer timeout.Stop()
	for {
		changed := j.unsettled(store, last)
		if changed == nil {
			return
		}
		select {
		case <-changed:
		case <-timeout.C: // a client reads slowly
			return
		case <-ctx.Done():
			return
		case <-j.closed:
			return
		}
	}
}

// unsettled returns nil if all requests with tickets up to last have ended.
func (j *Journal) unsettled(store string, last int64) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.stores[store]
	if r == nil || !slices.ContainsFunc(r.answering, func(ticket int64) bool { return ticket <= last }) {
		return nil
	}
	return j.change()
}

// Find returns the entries of a store that match, oldest first, with ids after an id.
func (j *Journal) Find(ctx context.Context, store string, after int64, c *Criteria) []*Entry {
	j.settle(ctx, store)
	list, _ := j.entries(store, after)
	return slices.DeleteFunc(list, func(e *Entry) bool { return !c.Match(e) })
}

// Get returns an entry, nil if the store has none with this id.
func (j *Journal) Get(ctx context.Context, store string, id int64) *Entry {
	j.settle(ctx, store)
	list, _ := j.entries(store, id-1)
	if len(list) == 0 || list[0].ID != id {
		return nil
	}
	return list[0]
}

// Expectation is how many requests should match.
type Expectation struct {
	Min, Max int
	// Within is how long Verify waits for requests that are missing. If there should be
	// none at least, it is how long Verify watches for one too many.
	Within time.Duration
}

// Result is the outcome of Verify.
type Result struct {
	OK     bool
	Count  int
	Misses []Miss // the nearest ones, if requests are missing
}

// Verify checks how many requests of a store match. It waits if that can change the
// outcome.
func (j *Journal) Verify(ctx context.Context, store string, c *Criteria, want Expectation) Result {
	deadline := time.NewTimer(want.Within)
	defer deadline.Stop()
	j.settle(ctx, store)
	count, seen := 0, int64(0)
	for over := false; ; {
		list, changed := j.entries(store, seen)
		for _, e := range list {
			if seen = e.ID; c.Match(e) {
				count++
			}
		}
		switch {
		case count > want.Max:
			return Result{Count: count}
		case count >= want.Min && (want.Min > 0 || over || want.Within <= 0):
			return Result{OK: true, Count: count}
		case over || want.Within <= 0:
			all, _ := j.entries(store, 0)
			return Result{Count: count, Misses: c.nearest(all)}
		}
		select {
		case <-changed:
		case <-deadline.C:
			over = true
		case <-ctx.Done():
			over = true
		case <-j.closed:
			over = true
		}
	}
}

// maxUnsent is how many entries wait for a slow subscriber.
const maxUnsent = 256

// Subscription gets the entries of a store as they are added.
type Subscription struct {
	// C has the entries, in order. It is closed when the store is deleted.
	C    chan *Entry
	lost int // entries that C had no space for; guarded by Journal.mu
	over bool
}

// send is called with the journal locked.
func (s *Subscription) send(e *Entry) {
	select {
	case s.C <- e:
	default:
		s.lost++
	}
}

func (s *Subscription) end() {
	if !s.over {
		s.over = true
		close(s.C)
	}
}

// Subscribe returns the entries of a store after an id, oldest first, and a subscription
// to the further ones. The caller must end it with Unsubscribe.
func (j *Journal) Subscribe(store string, after int64) (kept []*Entry, s *Subscription) {
	s = &Subscription{C: make(chan *Entry, maxUnsent)}
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.ring(store)
	r.readers = append(r.readers, s)
	return slices.Clone(r.after(after)), s
}

// Unsubscribe ends a subscription.
func (j *Journal) Unsubscribe(store string, s *Subscription) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.stores[store]; r != nil {
		r.readers = slices.DeleteFunc(r.readers, func(other *Subscription) bool { return other == s })
	}
}

// Lost returns how many entries the subscriber has lost since the last call, because it
// read too slowly.
func (j *Journal) Lost(s *Subscription) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, s.lost = s.lost, 0
	return n
}

// Closed is closed by Close.
func (j *Journal) Closed() <-chan struct{} { return j.closed }
