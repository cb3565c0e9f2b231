// Package controlclient calls the control API of a running server, for the command line.
package controlclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// requestTimeout is how long a request may take with its response, unless it is a
	// stream. It is longer than a verification may wait.
	requestTimeout = 2 * time.Minute
	// maxResponse bounds a response, in bytes.
	maxResponse = 64 << 20
	// maxProblem bounds the response of an error, in bytes.
	maxProblem = 1 << 20
)

// prefix begins the paths of the control API.
const prefix = "/_cohort/v1"

// Client calls a server. Its methods can be called at the same time.
type Client struct {
	base  string
	token string
	http  *http.Client
	// pause returns how long to wait before a stream is opened for the nth time in a row.
	pause func(n int) time.Duration
}

// New returns a client of the server with a URL such as http://127.0.0.1:8080. token is the
// control token, "" for none. trusted is a file with a certificate to trust besides those of
// the system, "" for none.
func New(server, token, trusted string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not the URL of a server, such as http://127.0.0.1:8080", server)
	}
	c := &Client{base: strings.TrimRight(server, "/"), token: token, pause: pause}
	// A redirect could take the token to another server.
	c.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if trusted == "" {
		return c, nil
	}
	c.http.Transport, err = Trusting(trusted)
	return c, err
}

// Trusting returns a transport that trusts a certificate besides those of the system.
func Trusting(file string) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots.AppendCertsFromPEM(text)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return transport, nil
}

// URL returns the URL of the server, without a slash at the end.
func (c *Client) URL() string { return c.base }

// Call is a request to the control API.
type Call struct {
	Method string
	Path   string     // after /_cohort/v1
	Query  url.Values // nil: none
	// Body is sent as JSON. If it is a Raw, it is sent as it is. nil: no body.
	Body any
}

// Raw is a body with its type.
type Raw struct {
	ContentType string
	Text        []byte
}

// Do sends a request and returns the body of its response. An error of the server is a
// *Problem.
func (c *Client) Do(ctx context.Context, call Call) ([]byte, error) {
	var buffer bytes.Buffer
	err := c.Copy(ctx, call, &buffer)
	return buffer.Bytes(), err
}

// Decode is Do for a response in JSON, which it decodes into a pointer.
func (c *Client) Decode(ctx context.Context, call Call, into any) error {
	text, err := c.Do(ctx, call)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the response of %s cannot be read: %w", c.base, err)
	}
	return nil
}

// Copy is Do for a long response, which it writes to w. If it returns an error, a part may
// have been written.
func (c *Client) Copy(ctx context.Context, call Call, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	res, err := c.send(ctx, call, http.Header{})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := io.Copy(w, io.LimitReader(res.Body, maxResponse+1))
	switch {
	case err != nil:
		return fmt.Errorf("the response of %s broke off: %w", c.base, err)
	case n > maxResponse:
		return fmt.Errorf("the response of %s is larger than %d MiB", c.base, maxResponse>>20)
	}
	return nil
}

// send sends a request. Its response is a success.
func (c *Client) send(ctx context.Context, call Call, header http.Header) (*http.Response, error) {
	var body io.Reader
	switch b := call.Body.(type) {
	case nil:
	case Raw:
		header.Set("Content-Type", b.ContentType)
		body = bytes.NewReader(b.Text)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		header.Set("Content-Type", "application/json")
		body = bytes.NewReader(text)
	}
	target := c.base + prefix + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, target, body)
	if err != nil {
		return nil, err
	}
	req.Header = header
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if res.StatusCode >= 200 && res.StatusCode <= 299 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, c.problem(res)
}

// unreachable says why there is no response.
func (c *Client) unreachable(err error) error {
	text := ""
	switch wrapped, ok := errors.AsType[*url.Error](err); {
	case errors.Is(err, syscall.ECONNREFUSED):
		text = fmt.Sprintf("no server answers at %s; \"cohort start\" starts one", c.base)
	case errors.Is(err, context.DeadlineExceeded):
		text = fmt.Sprintf("the server at %s does not answer in time", c.base)
	case ok:
		text = fmt.Sprintf("the server at %s cannot be reached: %s", c.base, wrapped.Err)
	default:
		return err
	}
	return &UnreachableError{text, err}
}

// UnreachableError is the error of a request that got no response.
type UnreachableError struct {
	text  string
	cause error
}

func (e *UnreachableError) Error() string { return e.text }

// Unwrap returns the error of the connection.
func (e *UnreachableError) Unwrap() error { return e.cause }

// StorePath returns the path of a store, and of what is below it.
func StorePath(hash string, below ...string) string {
	path := "/stores/" + url.PathEscape(hash)
	for _, part := range below {
		path += "/" + url.PathEscape(part)
	}
	return path
}
