package cohort

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the meaning of an error to the caller. Each wire dialect maps kinds to its own
// status codes and response bodies in one place.
type Kind uint8

// The kinds of errors. The zero value is KindInternal, so an unclassified error never
// looks like the caller's fault.
const (
	KindInternal     Kind = iota // a fault of the server; the text is not sent to clients
	KindInvalid                  // the input violates a rule
	KindUnauthorized             // the caller is not authenticated
	KindForbidden                // the caller is authenticated and lacks the permission
	KindNotFound                 // the resource does not exist
	KindConflict                 // a conflict with an existing resource
	KindTooLarge                 // the input or the result is too large
	KindPartial                  // done, except for a part that the error names
	KindUnavailable              // temporarily impossible; a later retry succeeds
)

var kindNames = [...]string{
	"internal", "invalid", "unauthorized", "forbidden", "not found",
	"conflict", "too large", "partial", "unavailable",
}

func (k Kind) String() string { return kindNames[k] }

// Error is the only error type that callers of other packages need to inspect.
type Error struct {
	Kind Kind
	// Field is the wire name of the invalid input field, without the names of the
	// enclosing fields: "amount", not "discount_rules.0.amount".
	Field string
	// Message is a sentence for the caller. A dialect whose contract fixes the text for
	// a kind ignores it.
	Message string
	// Reason explains why a value was rejected.
	Reason string
	// Err is the cause, for logs only; it is not sent to clients.
	Err error
}

// Error returns the text for logs and terminals. Dialects build their own texts.
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

// Invalid returns the error for a field whose value violates a rule.
func Invalid(field, reason string) *Error {
	return &Error{Kind: KindInvalid, Field: field, Reason: reason}
}

// NotFound returns the error for a resource that does not exist. what names it for
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

// ItemErrors holds the errors of the items of a batch, by index. Nothing of the batch is
// done.
type ItemErrors map[int]error

// Err returns e, or nil if no item has an error.
func (e ItemErrors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// Add adds the error of an item, unless it is nil. It returns an error that is the server's
// fault or says that the server is busy, because that is not about the item.
func (e ItemErrors) Add(index int, err error) error {
	switch {
	case err == nil:
		return nil
	case KindOf(err) == KindInternal, KindOf(err) == KindUnavailable:
		return err
	}
	e[index] = err
	return nil
}

func (e ItemErrors) Error() string {
	indexes := e.indexes()
	if len(indexes) == 0 {
		return "no items are refused"
	}
	return fmt.Sprintf("%d items are refused, the first of them at %d: %v", len(e), indexes[0], e[indexes[0]])
}

// Unwrap returns the errors by index, so that KindOf returns the kind of the first
// rejected item.
func (e ItemErrors) Unwrap() []error {
	var list []error
	for _, i := range e.indexes() {
		list = append(list, e[i])
	}
	return list
}

func (e ItemErrors) indexes() []int { return slices.Sorted(maps.Keys(e)) }
