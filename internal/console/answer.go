package console

import (
	"bytes"
	"fmt"
	"net/http"

	"cohort.example/cohort/internal/journal"
)

// maxKept bounds what is kept of the response to a request that a page sends, in bytes. An
// export has at most as many as a seed.
const maxKept = 17 << 20

// answer keeps the response to a request that a page sends.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer // the beginning
	keep   int          // how much of the body is kept, in bytes
	size   int64        // of the whole body
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// Write keeps the beginning of the body.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.size += int64(len(b))
	if free := a.keep - a.body.Len(); free > 0 {
		a.body.Write(b[:min(len(b), free)])
	}
	return len(b), nil
}

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// request sends a request to the server itself, without a network.
func (c *call) request(method, path string, header http.Header, body []byte) (*answer, error) {
	return c.requestKept(maxKept, method, path, header, body)
}

// requestKept sends a request like request, and keeps so many bytes of the response's body.
func (c *call) requestKept(keep int, method, path string, header http.Header, body []byte) (*answer, error) {
	r, err := http.NewRequestWithContext(c.ctx(), method, "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.RemoteAddr, r.Header = c.r.RemoteAddr, header
	a := &answer{header: http.Header{}, keep: keep}
	c.API.ServeHTTP(a, r)
	return a, nil
}

// journalled returns the address of the page of a request to a store that was just sent; "":
// the journal does not have it.
func (c *call) journalled(store string, since int64, a *answer) string {
	if c.Tests == nil {
		return ""
	}
	for _, sent := range c.Tests.Journal.Find(c.ctx(), store, since, &journal.Criteria{}) {
		if sent.RequestID == a.header.Get("X-Request-Id") {
			return storePath(store, "requests", fmt.Sprint(sent.ID))
		}
	}
	return ""
}
