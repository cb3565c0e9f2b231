package service

import (
	"context"
	"time"

	"cohort.example/cohort"
)

// hookLinger is how long the handler of a hook that has told all events waits for others,
// before it gives its lease back. A lease costs more than all else if events come one by one.
const hookLinger = 25 * time.Millisecond

// hookTurn is how long a hook may send at most while no others wait for their turns. The last
// attempt and its record follow before the end of hookTimeout.
const hookTurn = 6 * time.Second

// attendance is the handler of this process that looks at a hook. It is told of new events,
// so the dispatcher need not wake the hook through the outbox.
type attendance struct {
	until time.Time     // when its lease may end, by the clock of this process
	told  int64         // the number of the last event of which it was told; guarded by hooks.mu
	seen  int64         // the number up to which it has read; only the handler uses it
	hurry bool          // it shall look, because there may be events for it; guarded by hooks.mu
	more  chan struct{} // has a value after told or hurry has changed
}

// wake makes the handler look at told and hurry.
func (a *attendance) wake() {
	select {
	case a.more <- struct{}{}:
	default: // it is about to look
	}
}

// attend says that a handler looks at a hook until leave, at most until ctx ends.
func (h *hooks) attend(ctx context.Context, k heldKey) *attendance {
	a := &attendance{more: make(chan struct{}, 1)}
	a.until, _ = ctx.Deadline()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attended[k] = a
	return a
}

// leave is the opposite of attend. It reports whether the handler was told of events that it
// has not seen: then its message has to stay in the outbox, because no other handler was told.
func (h *hooks) leave(k heldKey, a *attendance) (unseen bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.attended[k] == a {
		delete(h.attended, k)
	}
	return a.told > a.seen
}

// notAttended tells the handlers of some hooks of the events up to a number, and returns the
// hooks without one. The message of an attended hook stays in the outbox until its handler
// has seen these events, also if the process ends before.
func (h *hooks) notAttended(storeKey string, list []cohort.Hook, last int64) (others []cohort.Hook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, hook := range list {
		a := h.attended[heldKey{storeKey, hook.ID}]
		if a == nil || !time.Now().Before(a.until) {
			others = append(others, hook)
			continue
		}
		a.told = max(a.told, last)
		a.wake()
	}
	return others
}

// hurry makes the handlers of a store look for events, before it is known which hooks want them.
func (h *hooks) hurry(storeKey string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, a := range h.attended {
		if k.store == storeKey {
			a.hurry = true
			a.wake()
		}
	}
}

// looks says that the handler is about to read the events.
func (h *hooks) looks(a *attendance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.hurry = false
}

// awaitMore waits until the handler has to look for events that it has not seen. It returns
// false at a time.
func (h *hooks) awaitMore(a *attendance, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		h.mu.Lock()
		more := a.told > a.seen || a.hurry
		h.mu.Unlock()
		if more {
			return true
		}
		select {
		case <-a.more:
		case <-timer.C:
			return false
		}
	}
}
