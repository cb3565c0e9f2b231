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

// TestBodyHoldsWhatHasCome: a body gets room for itself at once when it is small,
// and holds nothing of the ration for what is only announced.
func TestBodyHoldsWhatHasCome(t *testing.T) {
	for _, c := range []struct {
		name      string
		announced int64
		sent      int
		room      int // bytes of memory, at most
		held      int
	}{
		{"common", 351, 351, 352, 0},
		{"not announced", -1, 100, 512, 0},
		{"not announced, large", -1, 100_000, 4 * 100_000, 131_072 - freeBody - 1},
		{"all announced, nothing sent", api.MaxBody, 0, freeBody + 1, 0},
		{"all announced, little sent", api.MaxBody, freeBody, freeBody + 1, 0},
		{"all announced, some sent", api.MaxBody, 4 * freeBody, 4*freeBody + 4, 3*freeBody + 3},
		{"free", freeBody, freeBody, freeBody + 1, 0},
		{"large", 300_000, 300_000, 300_001, 300_001 - freeBody - 1},
		{"the largest", api.MaxBody, api.MaxBody, api.MaxBody + 1, api.MaxBody - freeBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r ration
			b := body{ration: &r, store: "abc"}
			err := b.read(iotest.OneByteReader(strings.NewReader(strings.Repeat("x", c.sent))), c.announced)
			if err != nil || len(b.bytes) != c.sent || strings.Trim(string(b.bytes), "x") != "" {
				t.Fatalf("%d bytes, error %v, want %d", len(b.bytes), err, c.sent)
			}
			if cap(b.bytes) > c.room || b.held != c.held || r.held != c.held {
				t.Errorf("room for %d, %d held (%d in all), want %d and %d", cap(b.bytes), b.held, r.held, c.room, c.held)
			}
			b.release()
			if r.held != 0 || len(r.stores) != 0 {
				t.Errorf("%d bytes are held for nobody, %v", r.held, r.stores)
			}
		})
	}
}

// TestBodyBounds: one byte more than the largest body is too much.
func TestBodyBounds(t *testing.T) {
	for _, announced := range []int64{-1, api.MaxBody} {
		b := body{ration: &ration{}}
		err := b.read(strings.NewReader(strings.Repeat("x", api.MaxBody+1)), announced)
		if e, ok := errors.AsType[*api.HTTPError](err); !ok || e.Status != 413 {
			t.Errorf("announced %d: %v", announced, err)
		}
	}
}

// TestRation: a store's share, and that of all.
func TestRation(t *testing.T) {
	var r ration
	if err := r.take("abc", maxStoreBodies); err != nil {
		t.Fatal(err)
	}
	if err := r.take("abc", 1); !errors.Is(err, errStoreBodies) {
		t.Errorf("beyond the share: %v", err)
	}
	for _, store := range []string{"b", "c", "d"} {
		if err := r.take(store, maxStoreBodies); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.take("e", 1); !errors.Is(err, errCrowded) || cohort.KindOf(err) != cohort.KindUnavailable {
		t.Errorf("beyond what all may hold: %v", err)
	}
	r.giveBack("abc", 1)
	if err := r.take("e", 1); err != nil {
		t.Errorf("what was given back: %v", err)
	}
}

// TestBodyOfFullStore: a body that would hold more than the store's share ends
// with that, and gives back what it held. A small one needs no share.
func TestBodyOfFullStore(t *testing.T) {
	var r ration
	if err := r.take("abc", maxStoreBodies-2*freeBody); err != nil {
		t.Fatal(err)
	}
	b := body{ration: &r, store: "abc"}
	from := strings.NewReader(strings.Repeat("x", 64<<10))
	if err := b.read(from, -1); !errors.Is(err, errStoreBodies) {
		t.Errorf("a large body: %v", err)
	}
	if from.Len() < 32<<10 {
		t.Errorf("%d bytes were read", 64<<10-from.Len())
	}
	b.release()
	if r.held != maxStoreBodies-2*freeBody {
		t.Errorf("%d bytes are held", r.held)
	}
	if err := r.take("abc", 2*freeBody); err != nil {
		t.Fatal(err)
	}
	small := body{ration: &r, store: "abc"}
	if err := small.read(strings.NewReader(strings.Repeat("x", freeBody)), freeBody); err != nil {
		t.Errorf("a small body: %v", err)
	}
	if err := small.read(io.MultiReader(), 0); err != nil {
		t.Errorf("no body: %v", err)
	}
}
