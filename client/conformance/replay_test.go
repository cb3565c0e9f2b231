package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort/client"
)

// errInexpressible is a request of a script that no method of the client sends, such as one
// with a mistake on purpose.
var errInexpressible = errors.New("no method of the client sends this request")

// call is a request of a script, in the parts from which a method of the client is called.
type call struct {
	ids   []int64 // of the path
	text  string  // of the path: a currency or a UUID
	query url.Values
	body  []byte
}

// operation is a method of the client. It gets the parts of a request and calls the method,
// whose result it returns.
type operation struct {
	name    string // as in the route: "GET /v2/customer_groups/{id}"
	pattern *regexp.Regexp
	run     func(context.Context, *client.Client, call) (any, error)
}

func newOperation(name string, run func(context.Context, *client.Client, call) (any, error)) operation {
	pattern := regexp.QuoteMeta(name)
	pattern = strings.ReplaceAll(pattern, `\{id\}`, `(\d{1,18})`)
	pattern = strings.ReplaceAll(pattern, `\{currency\}`, `([A-Za-z]+)`)
	pattern = strings.ReplaceAll(pattern, `\{uuid\}`, `([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})`)
	return operation{name, regexp.MustCompile("^" + pattern + "$"), run}
}

// match returns the parts of a request if it is one of the operation.
func (o operation) match(method, path string) (c call, ok bool) {
	m := o.pattern.FindStringSubmatch(method + " " + path)
	if m == nil {
		return c, false
	}
	for _, part := range m[1:] {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil {
			c.ids = append(c.ids, id)
		} else {
			c.text = part
		}
	}
	return c, true
}

// replayer is the transport of a script. It sends a request through a method of the client
// if one sends the same request, and else as it is. In both cases the script gets the
// response as it came, and makes its own checks. Of a method the replayer compares the
// result with the response, field by field.
type replayer struct {
	t      *testing.T
	counts *counts
}

func (p *replayer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	for _, o := range operations {
		res, err := p.typed(o, r, body)
		if err == nil {
			return res, nil
		}
		if !errors.Is(err, errInexpressible) {
			return nil, err
		}
	}
	p.counts.add("", 0)
	return http.DefaultTransport.RoundTrip(r)
}

// typed sends a request through an operation.
func (p *replayer) typed(o operation, r *http.Request, body []byte) (*http.Response, error) {
	parts := storePath.FindStringSubmatch(r.URL.EscapedPath())
	if parts == nil {
		return nil, errInexpressible
	}
	c, ok := o.match(r.Method, parts[2])
	if !ok {
		return nil, errInexpressible
	}
	var err error
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, errInexpressible
	}
	c.body = body
	ctx, err := withHeaders(r)
	if err != nil {
		return nil, err
	}
	capture := &capture{want: r, wantBody: body}
	cl, err := client.New(parts[1], r.Header.Get("X-Auth-Token"), client.WithBaseURL(r.URL.Scheme+"://"+r.URL.Host),
		client.WithHTTPClient(&http.Client{Transport: capture}), client.WithRetry(client.RetryPolicy{Attempts: 1}))
	if err != nil {
		return nil, errInexpressible
	}
	value, err := o.run(ctx, cl, c)
	if capture.response == nil {
		if errors.Is(err, errInexpressible) || errors.Is(err, client.ErrArgument) {
			return nil, errInexpressible
		}
		return nil, fmt.Errorf("%s: %w", o.name, err)
	}
	p.counts.add(o.name, capture.response.StatusCode)
	for _, problem := range compare(capture.response, capture.responseBody, value, err) {
		p.t.Errorf("%s %s %s: %s\nresponse: %.2000s", r.Method, r.URL.RequestURI(), body, problem, capture.responseBody)
	}
	return capture.response, nil
}

var storePath = regexp.MustCompile(`^/stores/([a-z0-9_-]+)(/(?:v2|v3|cohort)/.*)$`)

// withHeaders gives a context the headers that a script has and the client can send.
func withHeaders(r *http.Request) (context.Context, error) {
	ctx := r.Context()
	for name, values := range r.Header {
		value := strings.Join(values, ", ")
		switch {
		case name == "X-Auth-Token", name == "Content-Type" && value == "application/json":
		case name == "Idempotency-Key" && r.Method == "POST" && value != "":
			ctx = client.WithIdempotencyKey(ctx, value)
		case name == "If-Match" && value != "":
			ctx = client.WithIfMatch(ctx, value)
		default:
			return nil, errInexpressible
		}
	}
	if actor, reason := r.Header.Get("X-Cohort-Actor"), r.Header.Get("X-Cohort-Reason"); actor+reason != "" {
		ctx = client.WithActor(ctx, actor, reason)
	}
	return ctx, nil
}

// capture sends the first request of a method only if it is that of the script, and keeps
// its response. Others, such as the reading of a group after a 207, are sent as they are.
type capture struct {
	want         *http.Request
	wantBody     []byte
	response     *http.Response
	responseBody []byte
}

func (c *capture) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.response != nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if !c.same(r, body) {
		return nil, errInexpressible
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	c.responseBody, err = io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	kept := *res
	kept.Body = io.NopCloser(bytes.NewReader(c.responseBody))
	c.response = &kept
	res.Body = io.NopCloser(bytes.NewReader(c.responseBody))
	return res, nil
}

func (c *capture) same(r *http.Request, body []byte) bool {
	return r.Method == c.want.Method && r.URL.EscapedPath() == c.want.URL.EscapedPath() && sameQuery(r.URL, c.want.URL) &&
		sameHeaders(r.Header, c.want.Header) && sameJSON(body, c.wantBody)
}

// sameQuery compares queries. A parameter that is there twice, or has no name, is one more.
func sameQuery(got, want *url.URL) bool {
	return got.Query().Encode() == want.Query().Encode() && strings.Count(got.RawQuery, "&") == strings.Count(want.RawQuery, "&")
}

func sameHeaders(got, want http.Header) bool {
	for _, name := range []string{"X-Auth-Token", "Idempotency-Key", "If-Match"} {
		if got.Get(name) != want.Get(name) {
			return false
		}
	}
	return true
}

// counts counts the requests of the scripts by operation.
type counts struct {
	mu                sync.Mutex
	raw, typed        int
	succeeded, failed map[string]int // by the name of the operation
}

// add counts a request; without a name, one that was sent as it is.
func (c *counts) add(name string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case name == "":
		c.raw++
		return
	case status < 300:
		c.succeeded[name]++
	default:
		c.failed[name]++
	}
	c.typed++
}
