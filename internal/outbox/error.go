package outbox

import (
	"errors"
	"strings"
	"time"
	"unicode"
)

// Permanent wraps an error of a handler for a message that no attempt can deliver.
// The message is dead at once.
func Permanent(err error) error { return permanentError{err} }

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func isPermanent(err error) bool {
	_, ok := errors.AsType[permanentError](err)
	return ok
}

// RetryAfter wraps an error of a handler for a destination that has asked for a
// pause. This node makes no attempt at any message for the destination for so long,
// up to a bound; other nodes learn of the pause from their own attempts.
func RetryAfter(err error, pause time.Duration) error { return retryAfterError{err, pause} }

type retryAfterError struct {
	error
	pause time.Duration
}

func (e retryAfterError) Unwrap() error { return e.error }

// pauseOf returns the pause that a destination has asked for, or 0.
func pauseOf(err error) time.Duration {
	e, ok := errors.AsType[retryAfterError](err)
	if !ok {
		return 0
	}
	return min(max(e.pause, 0), maxRetryAfter)
}

// Again is the result of a handler that has done what it can now, and has more to do for the
// subject at a time by the clock of the store. It is no failure: nothing is counted or
// logged. The zero time is now, after the other lanes had their turns. A message that a later
// one has replaced in the meantime is due at once.
func Again(at time.Time) error { return againError{at} }

type againError struct{ at time.Time }

func (e againError) Error() string { return "the handler has more to do later" }

// IsAgain reports whether an error is the result of Again.
func IsAgain(err error) bool {
	_, ok := isAgain(err)
	return ok
}

// isAgain returns the time of Again.
func isAgain(err error) (at time.Time, ok bool) {
	e, ok := errors.AsType[againError](err)
	return e.at, ok
}

// maxLastError bounds the text of an error that is stored with a message, in bytes.
const maxLastError = 300

// lastError is an error as it is stored: one line of printable characters, since it is
// printed on a terminal and part of it may come from the other system.
func lastError(err error) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(err.Error(), "?"))
	if len(text) > maxLastError {
		text = strings.ToValidUTF8(text[:maxLastError], "") + "…"
	}
	return text
}
