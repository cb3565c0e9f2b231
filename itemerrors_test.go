package cohort_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"cohort.example/cohort"
)

func TestItemErrors(t *testing.T) {
	conflict := &cohort.Error{Kind: cohort.KindConflict, Message: "It is taken."}
	tests := []struct {
		err  cohort.ItemErrors
		text string
		kind cohort.Kind
	}{
		{cohort.ItemErrors{0: cohort.Invalid("price", "Too high.")}, "1 items are refused, the first of them at 0: invalid: price: Too high.", cohort.KindInvalid},
		{cohort.ItemErrors{10: cohort.NotFound("x"), 9: conflict}, "2 items are refused, the first of them at 9: It is taken.", cohort.KindConflict},
		{cohort.ItemErrors{2: conflict, 1: cohort.NotFound("list 7"), 3: io.EOF}, "3 items are refused, the first of them at 1: list 7 does not exist", cohort.KindNotFound},
		{cohort.ItemErrors{1: io.EOF}, "1 items are refused, the first of them at 1: EOF", cohort.KindInternal},
		{cohort.ItemErrors{}, "no items are refused", cohort.KindInternal},
	}
	for _, tt := range tests {
		for range 20 { // a map has no order, and an error has to have one
			if got := tt.err.Error(); got != tt.text {
				t.Fatalf("the text is %q, want %q", got, tt.text)
			}
			if got := cohort.KindOf(fmt.Errorf("put: %w", tt.err)); got != tt.kind {
				t.Fatalf("%v is of kind %v, want %v", tt.err, got, tt.kind)
			}
		}
	}
	if err := (cohort.ItemErrors{4: io.EOF, 7: conflict}); !errors.Is(err, io.EOF) || !errors.Is(err, conflict) {
		t.Error("the errors of items are not found in the chain")
	}
	items, ok := errors.AsType[cohort.ItemErrors](fmt.Errorf("put: %w", cohort.ItemErrors{7: conflict}))
	if !ok || len(items) != 1 || !errors.Is(items[7], conflict) {
		t.Errorf("the items are %v", items)
	}
}
