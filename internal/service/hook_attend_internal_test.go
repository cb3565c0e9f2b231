package service

import (
	"context"
	"testing"
	"time"

	"cohort.example/cohort"
)

// A hook to which a handler attends is not woken. If the handler leaves without a look at the
// events, its message has to stay.
func TestAttendedHooksAreNotWoken(t *testing.T) {
	h := newHooks()
	both := func() []cohort.Hook { return []cohort.Hook{{ID: 1}, {ID: 2}} }
	key := heldKey{"a", 1}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()

	a := h.attend(ctx, key)
	if others := h.notAttended("b", both(), 9); len(others) != 2 {
		t.Errorf("of another store %v are woken", others)
	}
	if others := h.notAttended("a", both(), 5); len(others) != 1 || others[0].ID != 2 {
		t.Errorf("%v are woken", others)
	}
	if !h.awaitMore(a, time.Now()) {
		t.Error("the handler does not look again")
	}
	a.seen = 5
	if h.awaitMore(a, time.Now()) {
		t.Error("the handler looks twice")
	}
	h.hurry("b")
	if h.awaitMore(a, time.Now()) {
		t.Error("the handler looks for events of another store")
	}
	h.hurry("a")
	if !h.awaitMore(a, time.Now().Add(time.Hour)) {
		t.Error("the handler does not hurry")
	}
	h.looks(a)
	if h.awaitMore(a, time.Now()) {
		t.Error("the handler hurries twice")
	}
	h.notAttended("a", both(), 6)
	if !h.leave(key, a) {
		t.Error("the handler ends and nobody knows of event 6")
	}
	if others := h.notAttended("a", both(), 7); len(others) != 2 {
		t.Errorf("after the end of the handler only %v are woken", others)
	}

	a = h.attend(ctx, key)
	next := h.attend(ctx, key) // the first one has lost its lease
	h.notAttended("a", both(), 8)
	if h.leave(key, a) || !h.leave(key, next) {
		t.Error("the wrong handler was told")
	}

	ended, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	h.attend(ended, key)
	if others := h.notAttended("a", both(), 9); len(others) != 2 {
		t.Errorf("a handler without a lease keeps a hook from being woken: %v", others)
	}
}
