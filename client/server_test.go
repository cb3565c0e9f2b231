package client

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// These tests have a server and a network, because the bounds are those of the transport.

func newServed(t *testing.T, h http.HandlerFunc, options ...Option) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New("abc", "a-token", append([]Option{WithBaseURL(s.URL + "/"), WithRetry(RetryPolicy{Attempts: 1})}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompressedResponseThatGrows(t *testing.T) {
	c := newServed(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		_, _ = io.WriteString(z, `{"name":"`)
		for range 200 {
			_, _ = z.Write(make([]byte, 10_000))
		}
	}, WithMaxResponse(1<<20))
	if _, err := c.Groups.Get(t.Context(), 1); !errors.Is(err, ErrResponse) {
		t.Errorf("got %v", err)
	}
}

func TestLongHeader(t *testing.T) {
	c := newServed(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", longText(maxHeaderBytes+1))
	})
	if _, err := c.Groups.Get(t.Context(), 1); err == nil {
		t.Error("the header is read")
	}
}

func longText(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = 'x'
	}
	return string(text)
}

func TestConnectionThatBreaks(t *testing.T) {
	c := newServed(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"id":1`)
	})
	if _, err := c.Groups.Get(t.Context(), 1); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrResponse) {
		t.Errorf("got %v", err)
	}
}

func TestServerThatDoesNotRespond(t *testing.T) {
	end := make(chan struct{})
	c := newServed(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}, WithTimeout(20*time.Millisecond))
	defer close(end)
	if _, err := c.Groups.Get(t.Context(), 1); err == nil || t.Context().Err() != nil {
		t.Errorf("got %v", err)
	}
}

func TestTokenIsNotToldToAnotherServer(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server gets the token %q", r.Header.Get("X-Auth-Token"))
	}))
	defer other.Close()
	c := newServed(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stores/abc/v2/customer_groups/1" {
			t.Errorf("the path is %s", r.URL.Path)
		}
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if _, err := c.Groups.Get(t.Context(), 1); err == nil {
		t.Error("a redirect is no error")
	}
}
