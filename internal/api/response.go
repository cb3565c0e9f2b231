package api

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// MaxBody is the largest request body, in bytes. A larger one is 413. [ours]
const MaxBody = 1 << 20

// WriteJSON sends v as JSON, without a final line break.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := AppendJSON(nil, v)
	if err != nil {
		return err
	}
	WriteEncoded(w, status, body)
	return nil
}

// jsonType is exactly this value: a client of this API fails on a charset
// parameter. All responses share the slice; nothing modifies header values in
// place.
var jsonType = []string{"application/json"}

// WriteEncoded sends JSON that is already encoded. It does not keep the body.
func WriteEncoded(w http.ResponseWriter, status int, body []byte) {
	writeEncoded(w, status, body, []string{strconv.Itoa(len(body))})
}

func writeEncoded(w http.ResponseWriter, status int, body []byte, length []string) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = length
	w.WriteHeader(status)
	// A write fails when the client has disconnected. The server cannot
	// report the error.
	_, _ = w.Write(body)
}

// WriteText sends plain text.
func WriteText(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// appender is an io.Writer that appends to a slice.
type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}

// AppendJSON appends the JSON that WriteJSON sends for v.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	a := appender(dst)
	enc := json.NewEncoder(&a)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, err
	}
	return a[:len(a)-1], nil
}
