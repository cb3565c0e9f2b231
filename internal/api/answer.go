package api

import (
	"io"
	"net/http"
	"strconv"
)

// MaxBody is the largest request body, in bytes. A larger one is 413. [ours]
const MaxBody = 1 << 20

// WriteJSON answers with v as JSON, without a line end behind it.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := AppendJSON(nil, v)
	if err != nil {
		return err
	}
	WriteFinished(w, status, body)
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
