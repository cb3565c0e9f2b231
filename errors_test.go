package cohort_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"cohort.example/cohort"
)

func TestKindOf(t *testing.T) {
	conflict := &cohort.Error{Kind: cohort.KindConflict}
	tests := []struct {
		name string
		err  error
		want cohort.Kind
	}{
		{"none of ours", io.EOF, cohort.KindInternal},
		{"ours without a kind", &cohort.Error{Message: "x"}, cohort.KindInternal},
		{"ours", conflict, cohort.KindConflict},
		{"wrapped", fmt.Errorf("insert: %w", conflict), cohort.KindConflict},
		{"joined", errors.Join(io.EOF, conflict), cohort.KindConflict},
		{"the outer of two", &cohort.Error{Kind: cohort.KindPartial, Err: conflict}, cohort.KindPartial},
		{"invalid", cohort.Invalid("name", "x"), cohort.KindInvalid},
		{"not found", cohort.NotFound("group 7"), cohort.KindNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := cohort.KindOf(tt.err); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	tests := []struct {
		err  *cohort.Error
		want string
	}{
		{&cohort.Error{}, "internal"},
		{&cohort.Error{Kind: cohort.KindUnavailable}, "unavailable"},
		{cohort.NotFound("customer group 7"), "customer group 7 does not exist"},
		{cohort.Invalid("amount", "It is negative."), "invalid: amount: It is negative."},
		{&cohort.Error{Kind: cohort.KindConflict, Message: "no", Field: "f", Reason: "why", Err: io.EOF}, "no: f: why: EOF"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestErrorUnwrapsItsCause(t *testing.T) {
	if err := error(&cohort.Error{Err: io.EOF}); !errors.Is(err, io.EOF) {
		t.Error("errors.Is does not find the cause")
	}
}

// Every kind has a distinct name. String would panic for a kind without one.
func TestKindNames(t *testing.T) {
	seen := map[string]cohort.Kind{}
	for k := cohort.KindInternal; k <= cohort.KindUnavailable; k++ {
		name := k.String()
		if other, taken := seen[name]; taken || name == "" {
			t.Errorf("kinds %[1]d and %[3]d have the same name %[2]q", k, name, other)
		}
		seen[name] = k
	}
}

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
		for range 20 { // map iteration is random, but the text must not be
			if got := tt.err.Error(); got != tt.text {
				t.Fatalf("the text is %q, want %q", got, tt.text)
			}
			if got := cohort.KindOf(fmt.Errorf("put: %w", tt.err)); got != tt.kind {
				t.Fatalf("%v is of kind %v, want %v", tt.err, got, tt.kind)
			}
		}
	}
	if err := (cohort.ItemErrors{4: io.EOF, 7: conflict}); !errors.Is(err, io.EOF) || !errors.Is(err, conflict) {
		t.Error("errors.Is does not find the errors of items")
	}
	items, ok := errors.AsType[cohort.ItemErrors](fmt.Errorf("put: %w", cohort.ItemErrors{7: conflict}))
	if !ok || len(items) != 1 || !errors.Is(items[7], conflict) {
		t.Errorf("the items are %v", items)
	}
}
