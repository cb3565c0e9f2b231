package cohort

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind says what an error means to the caller. Each wire dialect turns a kind
// into its own status and envelope in one place.
type Kind uint8

// The kinds of error. The zero value is KindInternal, so an error that nobody
// classified is never mistaken for the caller's fault.
const (
	KindInternal     Kind = iota // our fault; the text never reaches a client
	KindInvalid                  // the input breaks a rule
	KindUnauthorized             // the caller is not known
	KindForbidden                // the caller is known and may not do this
	KindNotFound                 // the thing asked for does not exist
	KindConflict                 // it clashes with something that exists
	KindTooLarge                 // the input, or what it asks for, is too big
	KindPartial                  // done, except for a named part
	KindUnavailable              // we cannot do it now; later it works
)

var kindNames = [...]string{
	"internal", "invalid", "unauthorized", "forbidden", "not found",
	"conflict", "too large", "partial", "unavailable",
}

func (k Kind) String() string { return kindNames[k] }

// Error is the one error type that crosses package borders.
type Error struct {
	Kind Kind
	// Field names the input field at fault by its wire name, without the names
	// of the fields around it: "amount", never "discount_rules.0.amount".
	Field string
	// Message is a sentence for the caller. A dialect whose contract fixes the
	// text for a kind says that instead.
	Message string
	// Reason adds to the message why a value was refused.
	Reason string
	// Err is the cause, for the log only; it never reaches a client.
	Err error
}

// Error is the text for logs and terminals; clients get a dialect's own text.
func (e *Error) Error() string {
	parts := make([]string, 0, 4)
	if e.Message != "" {
		parts = append(parts, e.Message)
	} else {
		parts = append(parts, e.Kind.String())
	}
	if e.Field != "" {
		parts = append(parts, e.Field)
	}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

func (e *Error) Unwrap() error { return e.Err }

// Invalid is the error for a field whose value breaks a rule.
func Invalid(field, reason string) *Error {
	return &Error{Kind: KindInvalid, Field: field, Reason: reason}
}

// NotFound is the error for a thing that does not exist; what names it for
// terminals and logs ("customer group 7").
func NotFound(what string) *Error {
	return &Error{Kind: KindNotFound, Message: what + " does not exist"}
}

// NoStore is the KindNotFound error for a store, by its key.
func NoStore(key string) *Error { return NotFound("store " + HashOfKey(key)) }

// KindOf returns the kind of err: that of the first *Error in its chain, else
// KindInternal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// ItemErrors says what is wrong with the items of a batch, by their places from
// 0. Nothing of the batch is done.
type ItemErrors map[int]error

func (e ItemErrors) Error() string {
	places := e.places()
	if len(places) == 0 {
		return "no items are refused"
	}
	return fmt.Sprintf("%d items are refused, the first of them at %d: %v", len(e), places[0], e[places[0]])
}

// Unwrap returns the errors by place, so that the kind of a batch's error is that
// of the first item that is refused.
func (e ItemErrors) Unwrap() []error {
	var list []error
	for _, i := range e.places() {
		list = append(list, e[i])
	}
	return list
}

func (e ItemErrors) places() []int { return slices.Sorted(maps.Keys(e)) }
