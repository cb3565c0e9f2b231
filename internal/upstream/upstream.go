// Package upstream calls a real store, such as one of the vendor's, for the parts of the
// program that compare Cohort with it or pass requests on to it.
package upstream

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cohort.example/cohort/internal/api"
)

const (
	// dialTimeout bounds connecting to a real store, and then the handshake of TLS.
	dialTimeout = 10 * time.Second
	// headTimeout bounds the wait for the head of the response of a real store.
	headTimeout = 30 * time.Second
	// Timeout bounds a request to a real store with its whole response.
	Timeout = 2 * time.Minute
	// maxHead is how many bytes the head of the response of a real store has.
	maxHead = 256 << 10
	// MaxRequest is how many bytes of a body are passed on to a real store.
	MaxRequest = 16 << 20
	// MaxResponse is how many bytes of the response of a real store are passed on.
	MaxResponse = 64 << 20
)

// ParseURL parses the URL of an API, such as https://api.bigcommerce.com. It must be HTTPS,
// because requests to it have tokens, except on this machine.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q is not the URL of an API, such as https://api.bigcommerce.com", text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the URL of an API has no user, query or fragment")
	case u.Scheme == "http" && !api.IsLoopback(u.Host):
		return nil, fmt.Errorf("the URL %s must begin with https, because requests to it have tokens", text)
	}
	return u, nil
}

// IsHere reports whether a URL is on this machine.
func IsHere(u *url.URL) bool { return api.IsLoopback(u.Host) }

// NewTransport returns a transport with time limits. It uses no proxy of the environment:
// "cohort env" prints one that leads back to Cohort.
func NewTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  headTimeout,
		MaxResponseHeaderBytes: maxHead,
		ForceAttemptHTTP2:      true,
		IdleConnTimeout:        headTimeout,
	}
}

// NewClient returns a client with time limits that follows no redirects, which would take
// the token elsewhere.
func NewClient() *http.Client {
	return &http.Client{
		Transport:     NewTransport(),
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var errTooLarge = errors.New("the response of the store is larger than 64 MiB")

// Limit bounds the body of a response: reading beyond [MaxResponse] is an error. It returns
// an error if the announced length is too large.
func Limit(res *http.Response) error {
	if res.ContentLength > MaxResponse {
		return errTooLarge
	}
	res.Body = &limited{res.Body, MaxResponse}
	return nil
}

// limited is a body of which only so many bytes can be read.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
