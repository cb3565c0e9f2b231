package server

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// A small body gets a buffer of its size at once. A body takes budget only for bytes
// that have arrived, not for those that are only announced.
func TestBodyBuffer(t *testing.T) {
	for _, c := range []struct {
		name      string
		announced int64
		sent      int
		buffer    int // bytes, at most
		held      int
	}{
		{"common", 351, 351, 352, 0},
		{"not announced", -1, 100, 512, 0},
		{"not announced, large", -1, 100_000, 4 * 100_000, 131_072 - uncountedBody - 1},
		{"all announced, nothing sent", api.MaxBody, 0, uncountedBody + 1, 0},
		{"all announced, little sent", api.MaxBody, uncountedBody, uncountedBody + 1, 0},
		{"all announced, some sent", api.MaxBody, 4 * uncountedBody, 4*uncountedBody + 4, 3*uncountedBody + 3},
		{"the largest uncounted", uncountedBody, uncountedBody, uncountedBody + 1, 0},
		{"large", 300_000, 300_000, 300_001, 300_001 - uncountedBody - 1},
		{"the largest", api.MaxBody, api.MaxBody, api.MaxBody + 1, api.MaxBody - uncountedBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			var budget bodyBudget
			b := body{budget: &budget, store: "abc"}
			err := b.read(iotest.OneByteReader(strings.NewReader(strings.Repeat("x", c.sent))), c.announced)
			if err != nil || len(b.bytes) != c.sent || strings.Trim(string(b.bytes), "x") != "" {
				t.Fatalf("%d bytes, error %v, want %d", len(b.bytes), err, c.sent)
			}
			if cap(b.bytes) > c.buffer || b.held != c.held || budget.held != c.held {
				t.Errorf("buffer of %d bytes, %d held (%d in total), want %d and %d", cap(b.bytes), b.held, budget.held, c.buffer, c.held)
			}
			b.release()
			if budget.held != 0 || len(budget.stores) != 0 {
				t.Errorf("%d bytes are still held: %v", budget.held, budget.stores)
			}
		})
	}
}

// One byte more than api.MaxBody is too large.
func TestBodyMaximum(t *testing.T) {
	for _, announced := range []int64{-1, api.MaxBody} {
		b := body{budget: &bodyBudget{}}
		err := b.read(strings.NewReader(strings.Repeat("x", api.MaxBody+1)), announced)
		if e, ok := errors.AsType[*api.HTTPError](err); !ok || e.Status != 413 {
			t.Errorf("announced %d: %v", announced, err)
		}
	}
}

// TestBodyBudget tests the bounds of a store and of the process.
func TestBodyBudget(t *testing.T) {
	var budget bodyBudget
	if err := budget.reserve("abc", maxStoreBodies); err != nil {
		t.Fatal(err)
	}
	if err := budget.reserve("abc", 1); !errors.Is(err, errStoreBodies) {
		t.Errorf("beyond the store's bound: %v", err)
	}
	for _, store := range []string{"b", "c", "d"} {
		if err := budget.reserve(store, maxStoreBodies); err != nil {
			t.Fatal(err)
		}
	}
	if err := budget.reserve("e", 1); !errors.Is(err, errAllBodies) || cohort.KindOf(err) != cohort.KindUnavailable {
		t.Errorf("beyond the bound of the process: %v", err)
	}
	budget.release("abc", 1)
	if err := budget.reserve("e", 1); err != nil {
		t.Errorf("after a release: %v", err)
	}
}

// Reading a body that would exceed the store's bound fails, and the body releases what
// it held. A small body needs no budget.
func TestBodyOfFullStore(t *testing.T) {
	var budget bodyBudget
	if err := budget.reserve("abc", maxStoreBodies-2*uncountedBody); err != nil {
		t.Fatal(err)
	}
	b := body{budget: &budget, store: "abc"}
	from := strings.NewReader(strings.Repeat("x", 64<<10))
	if err := b.read(from, -1); !errors.Is(err, errStoreBodies) {
		t.Errorf("a large body: %v", err)
	}
	if from.Len() < 32<<10 {
		t.Errorf("%d bytes were read", 64<<10-from.Len())
	}
	b.release()
	if budget.held != maxStoreBodies-2*uncountedBody {
		t.Errorf("%d bytes are held", budget.held)
	}
	if err := budget.reserve("abc", 2*uncountedBody); err != nil {
		t.Fatal(err)
	}
	small := body{budget: &budget, store: "abc"}
	if err := small.read(strings.NewReader(strings.Repeat("x", uncountedBody)), uncountedBody); err != nil {
		t.Errorf("a small body: %v", err)
	}
	if err := small.read(io.MultiReader(), 0); err != nil {
		t.Errorf("no body: %v", err)
	}
}
