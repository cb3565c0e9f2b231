package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
)

// MaxBody is the largest request body, in bytes.
const MaxBody = 1 << 20

// ReadBody reads a request's body. It returns an HTTPError when the body is
// larger than MaxBody, comes too slowly, or breaks off.
func ReadBody(w http.ResponseWriter, r *Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	switch {
	case err == nil:
		return body, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &HTTPError{http.StatusRequestTimeout, "The request body did not arrive in time."}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &HTTPError{http.StatusRequestEntityTooLarge, "The request body is larger than 1 MiB."}
	}
	return nil, &HTTPError{http.StatusBadRequest, "The request body broke off."}
}

// WriteJSON answers with v as JSON, without a line end behind it.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	buf.Truncate(buf.Len() - 1)
	h := w.Header()
	// Exactly this: a client of this API fails on a charset parameter.
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	w.WriteHeader(status)
	// An error here means that the client has left; nobody is there to be told.
	_, _ = w.Write(buf.Bytes())
	return nil
}

// WriteText answers with plain text.
func WriteText(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
