package servertest

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// Response is a response that has been read.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Send sends a request with a token. A body that is not empty is JSON.
func Send(t testing.TB, method, url, token, body string) Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Response{res.StatusCode, res.Header, string(text)}
}
