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
		t.Error("the cause is not found in the chain")
	}
}

// Every kind has a name of its own: a kind added without one would panic in a log.
func TestKindNames(t *testing.T) {
	seen := map[string]cohort.Kind{}
	for k := cohort.KindInternal; k <= cohort.KindUnavailable; k++ {
		name := k.String()
		if other, taken := seen[name]; taken || name == "" {
			t.Errorf("kind %d is called %q, and so is kind %d", k, name, other)
		}
		seen[name] = k
	}
}
