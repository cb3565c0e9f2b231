package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

const (
	idempotencyKey     = "Idempotency-Key"
	idempotentReplayed = "Idempotent-Replayed"
	// maxIdempotencyKey is the length of the longest key, in bytes.
	maxIdempotencyKey = 255
)

// call calls the route's handler, at most once for an idempotency key.
func (e *endpoint) call(w http.ResponseWriter, r *api.Request, entry *entry) error {
	keys := r.Header[idempotencyKey]
	if len(keys) == 0 || !e.route.Creates() {
		return e.route.Handle(w, r)
	}
	if !isIdempotencyKey(keys) {
		return &api.HTTPError{Status: http.StatusBadRequest, Message: fmt.Sprintf(
			"The %s header must be given once and have 1 to %d printable ASCII characters.", idempotencyKey, maxIdempotencyKey)}
	}
	keyed := service.KeyedRequest{StoreKey: r.Store.Key, TokenID: r.Client, Key: keys[0], Fingerprint: e.fingerprint(r)}
	answer, replayed, err := e.server.svc.Once(r.Context(), keyed, func(ctx context.Context) (service.Answer, error) {
		return e.answer(ctx, r)
	})
	switch {
	case cohort.KindOf(err) == cohort.KindPartial:
		entry.err = err
	case err != nil:
		return keyError(w, err)
	}
	if replayed {
		w.Header()[idempotentReplayed] = []string{"true"}
	}
	send(w, answer)
	return nil
}

func isIdempotencyKey(values []string) bool {
	if len(values) != 1 || len(values[0]) == 0 || len(values[0]) > maxIdempotencyKey {
		return false
	}
	for _, c := range []byte(values[0]) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// fingerprint returns a hash of the operation, path, query and body of a request. The path
// counts in the form of the route, so that two spellings of it are one request.
func (e *endpoint) fingerprint(r *api.Request) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %q %d\n", e.route.Method, e.route.Operation, r.IDs, len(r.URL.RawQuery)) // never fails, nor do the writes
	_, _ = h.Write([]byte(r.URL.RawQuery))
	_, _ = h.Write(r.Body)
	return hex.EncodeToString(h.Sum(nil))
}

// keyError returns the response to an error of Once. Other errors are those of the handler.
func keyError(w http.ResponseWriter, err error) error {
	fail := func(status int, message string) error { return &api.HTTPError{Status: status, Message: message} }
	switch {
	case errors.Is(err, service.ErrUnderWay):
		w.Header().Set("Retry-After", "1")
		return fail(http.StatusConflict, "A request with this Idempotency-Key is still under way. Please try again.")
	case errors.Is(err, service.ErrOtherRequest):
		return fail(http.StatusUnprocessableEntity, "This Idempotency-Key was used for another request. Use a new key for each request.")
	case errors.Is(err, service.ErrManyKeys):
		w.Header().Set("Retry-After", "60")
		return fail(http.StatusTooManyRequests, fmt.Sprintf("The store has used %d values of Idempotency-Key within 24 hours, and can use no more now.", service.MaxKeys))
	case errors.Is(err, service.ErrLongAnswer):
		return fail(http.StatusRequestEntityTooLarge, "The response would be too large to be kept for an Idempotency-Key. Send the request without a key, or in parts.")
	}
	return err
}

// answer calls the route's handler with a context and returns its response. With an error,
// nothing is sent, except for KindPartial.
func (e *endpoint) answer(ctx context.Context, r *api.Request) (service.Answer, error) {
	within := *r
	within.Work = ctx
	kept := newKeptResponse()
	err := e.route.Handle(kept, &within)
	switch {
	case cohort.KindOf(err) == cohort.KindPartial:
		e.dialect.WriteError(kept, err)
	case err != nil:
		return service.Answer{}, err
	}
	answer := kept.answer()
	if within.Settled == nil {
		return answer, err
	}
	settled := newKeptResponse()
	if err := within.Settled(settled); err != nil {
		return service.Answer{}, err
	}
	after := settled.answer()
	answer.Settled = &after
	return answer, err
}

// keptResponse keeps a response. It keeps one byte more than the service does at most, so
// that the service finds it too long.
type keptResponse struct {
	header http.Header
	status int
	body   []byte
}

func newKeptResponse() *keptResponse { return &keptResponse{header: http.Header{}} }

func (k *keptResponse) Header() http.Header { return k.header }

func (k *keptResponse) WriteHeader(status int) {
	if k.status == 0 && status >= http.StatusOK {
		k.status = status
	}
}

func (k *keptResponse) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	free := service.MaxKeptAnswer + 1 - len(k.body)
	k.body = append(k.body, b[:min(len(b), free)]...)
	return len(b), nil
}

func (k *keptResponse) answer() service.Answer {
	k.header.Del("Content-Length") // send sets it
	return service.Answer{Status: cmp.Or(k.status, http.StatusOK), Header: k.header, Body: k.body}
}

// send sends an answer.
func send(w http.ResponseWriter, a service.Answer) {
	maps.Copy(w.Header(), a.Header)
	if len(a.Body) > 0 {
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(a.Body))}
	}
	w.WriteHeader(a.Status)
	if len(a.Body) == 0 {
		return
	}
	_, _ = w.Write(a.Body) // a write fails when the client has disconnected
}
