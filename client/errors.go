package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// These errors are for [errors.Is]. [errors.As] with an [*Error] gives the details.
var (
	// ErrInvalid is a request that the server does not accept: 400, 413, 422.
	ErrInvalid = errors.New("the request is not valid")
	// ErrUnauthorized is a token that does not exist: 401.
	ErrUnauthorized = errors.New("the token is not valid")
	// ErrForbidden is a token of another store, or without the scope: 403.
	ErrForbidden = errors.New("the token has not the required scope")
	// ErrNotFound is a resource or a path that does not exist: 404.
	ErrNotFound = errors.New("not found")
	// ErrConflict is a conflict with another resource: 409.
	ErrConflict = errors.New("conflict")
	// ErrChanged is a resource that has changed since the tag of [WithIfMatch]: 412.
	ErrChanged = errors.New("the resource has changed")
	// ErrRateLimited is a limit that the request exceeds, still after all retries: 429.
	ErrRateLimited = errors.New("too many requests")
	// ErrUnavailable is a server that is not available or failed: 500, 502, 503, 504.
	ErrUnavailable = errors.New("the server is not available")
	// ErrResponse is a response that the client cannot read: it is too large, or has not the
	// expected form. The request may have had its effect.
	ErrResponse = errors.New("the response cannot be read")
	// ErrRepeatedPage is a list whose pages do not go on: the server has sent one twice.
	ErrRepeatedPage = errors.New("the server has sent a page twice")
	// ErrArgument is a call with a mistake that the client finds before it sends anything.
	ErrArgument = errors.New("the call is not valid")
	// ErrNotTried is an item of a batch that was not sent, because an error before it ended
	// the batch.
	ErrNotTried = errors.New("not tried")
)

// Error is a response with an error status. The text of a server may change between its
// versions: compare the status, or use errors.Is with an error such as [ErrNotFound].
type Error struct {
	Status int
	// Title is the title of an error of V3, the message of one of V2, or the text of a
	// response that is not JSON.
	Title string
	// Reason is what V2 says besides the message, or "".
	Reason string
	// Fields has a sentence for each field or parameter, by its path: "name", "email",
	// "0.email" for the first item of a batch. V2 names one field.
	Fields map[string]string
	// RequestID is in the log of the server.
	RequestID string
	Method    string
	// Path begins after the store: "/v2/customer_groups/3".
	Path string
	// RetryAfter is the time that the server asks to wait, or 0.
	RetryAfter time.Duration

	rejected []rejectedRecord // of a batch of price records
	done     json.RawMessage  // the items that a batch of metafields has written
	backOff  backOff
}

// Error returns the method, the path, the status and the texts, with at most three fields.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "client: %s %s: %d", e.Method, e.Path, e.Status)
	for _, text := range []string{e.Title, e.Reason} {
		if text != "" {
			b.WriteString(": " + text)
		}
	}
	for i, path := range slices.Sorted(maps.Keys(e.Fields)) {
		if i == maxFieldsInText {
			fmt.Fprintf(&b, "; and %d more", len(e.Fields)-i)
			break
		}
		if e.Fields[path] != e.Reason {
			fmt.Fprintf(&b, "; %s: %s", path, e.Fields[path])
		}
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

// maxFieldsInText is how many fields the text of an error names.
const maxFieldsInText = 3

// statusErrors are the errors for errors.Is.
var statusErrors = map[int]error{
	http.StatusBadRequest:            ErrInvalid,
	http.StatusUnauthorized:          ErrUnauthorized,
	http.StatusForbidden:             ErrForbidden,
	http.StatusNotFound:              ErrNotFound,
	http.StatusConflict:              ErrConflict,
	http.StatusPreconditionFailed:    ErrChanged,
	http.StatusRequestEntityTooLarge: ErrInvalid,
	http.StatusUnprocessableEntity:   ErrInvalid,
	http.StatusTooManyRequests:       ErrRateLimited,
	http.StatusInternalServerError:   ErrUnavailable,
	http.StatusBadGateway:            ErrUnavailable,
	http.StatusServiceUnavailable:    ErrUnavailable,
	http.StatusGatewayTimeout:        ErrUnavailable,
}

// Is makes errors.Is work with errors such as [ErrNotFound].
func (e *Error) Is(target error) bool {
	known, ok := statusErrors[e.Status]
	return ok && known == target
}

// PartialError is a change that was made, but not with all of its effects: status 207 of a
// customer group whose sitewide discount the pricing system has not got. The method returns
// the group beside this error. Do not create the group again; update its rules instead.
type PartialError struct {
	Message   string
	RequestID string
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("client: partly done: %s (request %s)", e.Message, e.RequestID)
}

// BatchError is a batch that the server has refused because of some of its items. Batches
// are all or nothing, so no item was written, except those of metafields, which return what
// was done beside it. errors.As with an [*Error] gives the response.
type BatchError struct {
	// Items are the items with errors, in their order.
	Items []ItemError
	cause *Error
}

// ItemError has the errors of an item of a batch.
type ItemError struct {
	// Index is the position of the item in the batch, from 0.
	Index int
	// Fields has a sentence for each field, by its path. "" stands for the item itself.
	Fields map[string]string
}

// Error returns the paths and the sentences.
func (e ItemError) Error() string {
	var texts []string
	for _, path := range slices.Sorted(maps.Keys(e.Fields)) {
		texts = append(texts, strings.TrimPrefix(path+": "+e.Fields[path], ": "))
	}
	return fmt.Sprintf("item %d: %s", e.Index, strings.Join(texts, "; "))
}

func (e *BatchError) Error() string { return e.cause.Error() }

// Unwrap returns the [*Error] of the response.
func (e *BatchError) Unwrap() error { return e.cause }

// argument returns an [ErrArgument] with a text.
func argument(format string, args ...any) error {
	return fmt.Errorf("client: %w: %s", ErrArgument, fmt.Sprintf(format, args...))
}
