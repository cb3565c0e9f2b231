package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// store creates items that are not negative, and refuses batches in which one is. named says
// whether it says which.
type itemStore struct {
	named   bool
	stored  []int
	calls   int
	failsAt int // the call that fails otherwise; 0: none
}

func (s *itemStore) create(_ context.Context, items []int) ([]int, error) {
	s.calls++
	if s.calls == s.failsAt {
		return nil, &Error{Status: 401}
	}
	fields := map[string]string{}
	for i, item := range items {
		if item < 0 && s.named {
			fields[fmt.Sprintf("%d.value", i)] = "negative"
		} else if item < 0 {
			fields[".create"] = "one is negative"
		}
	}
	if len(fields) > 0 {
		return nil, batchError(&Error{Status: http.StatusUnprocessableEntity, Fields: fields}, len(items))
	}
	s.stored = append(s.stored, items...)
	return items, nil
}

func TestBatchesWithErrorsOfItems(t *testing.T) {
	items := []int{1, 2, -3, 4, 5, -6, -7, 8, 9, 10, 11, -12}
	for _, named := range []bool{true, false} {
		s := &itemStore{named: named}
		var wrong []int
		i := 0
		for r := range inBatches(t.Context(), items, 5, s.create) {
			if r.Index != i {
				t.Errorf("the result %d has the index %d", i, r.Index)
			}
			i++
			if r.Err == nil && r.Value != items[r.Index] {
				t.Errorf("the item %d is %d", r.Index, r.Value)
			}
			if r.Err != nil {
				wrong = append(wrong, items[r.Index])
				if item, ok := errors.AsType[ItemError](r.Err); named && (!ok || item.Fields["value"] != "negative") || !errors.Is(r.Err, ErrInvalid) {
					t.Errorf("the item %d has the error %v", r.Index, r.Err)
				}
			}
		}
		if i != len(items) || !slices.Equal(s.stored, []int{1, 2, 4, 5, 8, 9, 10, 11}) || !slices.Equal(wrong, []int{-3, -6, -7, -12}) {
			t.Errorf("named %t: stored %v, wrong %v, in %d calls", named, s.stored, wrong, s.calls)
		}
	}
}

func TestBatchThatEnds(t *testing.T) {
	s := &itemStore{failsAt: 2}
	var states []string
	for r := range inBatches(t.Context(), make([]int, 5), 2, s.create) {
		switch {
		case r.Err == nil:
			states = append(states, "done")
		case errors.Is(r.Err, ErrNotTried) && errors.Is(r.Err, ErrUnauthorized):
			states = append(states, "not tried")
		case errors.Is(r.Err, ErrUnauthorized):
			states = append(states, "failed")
		}
	}
	if want := []string{"done", "done", "failed", "failed", "not tried"}; !slices.Equal(states, want) || s.calls != 2 {
		t.Errorf("got %v in %d calls, want %v", states, s.calls, want)
	}
	s = &itemStore{}
	for range inBatches(t.Context(), make([]int, 5), 2, s.create) {
		break
	}
	if s.calls != 1 {
		t.Errorf("a loop that is left makes %d calls", s.calls)
	}
}

func TestBatchWhoseAnswerLacksItems(t *testing.T) {
	for r := range inBatches(t.Context(), make([]int, 3), 3, func(context.Context, []int) ([]int, error) { return make([]int, 2), nil }) {
		if !errors.Is(r.Err, ErrResponse) {
			t.Errorf("got %v", r.Err)
		}
	}
}
