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
	body := bytes.NewBuffer(make([]byte, 0, firstRead(r.ContentLength)))
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	switch {
	case err == nil:
		return body.Bytes(), nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &HTTPError{http.StatusRequestTimeout, "The request body did not arrive in time."}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &HTTPError{http.StatusRequestEntityTooLarge, "The request body is larger than 1 MiB."}
	}
	return nil, &HTTPError{http.StatusBadRequest, "The request body broke off."}
}

// firstRead is how much room a body gets before any of it has come. What the
// client announces is believed up to 64 KiB, so that to announce much and send
// nothing does not take up memory. The buffer wants room behind the end.
func firstRead(announced int64) int {
	const most = 64 << 10
	return int(min(max(announced, 0), most)) + bytes.MinRead
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
	WriteFinished(w, status, buf.Bytes())
	return nil
}

// jsonType is exactly this: a client of this API fails on a charset parameter.
// All answers share it, which is safe because nobody changes a header's values
// in place.
var jsonType = []string{"application/json"}

// WriteFinished answers with JSON that is encoded already. It does not keep
// the body.
func WriteFinished(w http.ResponseWriter, status int, body []byte) {
	writeFinished(w, status, body, []string{strconv.Itoa(len(body))})
}

func writeFinished(w http.ResponseWriter, status int, body []byte, length []string) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = length
	w.WriteHeader(status)
	// An error here means that the client has left; nobody is there to be told.
	_, _ = w.Write(body)
}

// WriteText answers with plain text.
func WriteText(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
