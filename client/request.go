package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// request is a request before it is sent. An attempt does not change it.
type request struct {
	method string
	path   string // after the store
	query  url.Values
	body   any // nil: none
	// gate is the concurrency limit that counts the request, "" if none does.
	gate gate
	// reads is a POST that changes nothing.
	reads bool
	// creates is a POST that takes an idempotency key.
	creates bool
	// once is a request that has another effect when it is repeated.
	once bool
	// slow is a request that the server answers late on purpose.
	slow time.Duration

	encoded []byte
	key     string // the idempotency key, or ""
	header  http.Header
}

// reply is a response that is no error, and has been read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r *reply) requestID() string { return r.header.Get("X-Request-Id") }

// call sends a request, repeats it where that is safe, and returns the response. An error
// status is an [*Error].
func (c *Client) call(ctx context.Context, r request) (*reply, error) {
	if err := c.prepare(ctx, &r); err != nil {
		return nil, err
	}
	response := settingsOf(ctx).response
	uncertain := false
	for attempt := 1; ; attempt++ {
		rep, header, err := c.attempt(ctx, &r)
		response.fill(rep, header, err, attempt)
		if err == nil {
			return rep, nil
		}
		if uncertain && r.method == http.MethodDelete && errors.Is(err, ErrNotFound) {
			return &reply{status: http.StatusNoContent, header: header}, nil
		}
		wait, again := c.retry.next(&r, attempt, err)
		if !again || ctx.Err() != nil {
			return nil, err
		}
		uncertain = uncertain || mayHaveHappened(err)
		c.log.LogAttrs(ctx, slog.LevelInfo, "retry", slog.String("method", r.method), slog.String("path", r.path),
			slog.Int("attempt", attempt), slog.Duration("wait", wait), slog.Any("error", err))
		if err := c.clock.Sleep(ctx, wait); err != nil {
			return nil, fmt.Errorf("client: %s %s: wait for another attempt: %w", r.method, r.path, err)
		}
	}
}

// prepare encodes the body and the header of a request.
func (c *Client) prepare(ctx context.Context, r *request) error {
	s := settingsOf(ctx)
	r.header = http.Header{"X-Auth-Token": {c.token}, "Accept": {"application/json"}, "User-Agent": {c.userAgent}}
	if r.body != nil {
		var err error
		if r.encoded, err = encode(r.body); err != nil {
			return argument("%s %s: %v", r.method, r.path, err)
		}
		r.header.Set("Content-Type", "application/json")
	}
	if r.creates {
		if r.key = s.key; r.key == "" && c.keys {
			r.key = rand.Text()
		}
	}
	if s.ifMatch != "" && (r.method == http.MethodPut || r.method == http.MethodDelete) {
		r.once = r.once || r.method == http.MethodPut // the tag is another one after the first time
		r.header.Set("If-Match", s.ifMatch)
	}
	for name, value := range map[string]string{"Idempotency-Key": r.key, "X-Cohort-Actor": s.actor, "X-Cohort-Reason": s.reason} {
		if value != "" {
			r.header.Set(name, value)
		}
	}
	return nil
}

// encode encodes a body. Texts are as they are, without escapes for HTML.
func encode(body any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// attempt sends a request once, when the concurrency limit and the quota allow it. It
// returns the header if there is a response.
func (c *Client) attempt(ctx context.Context, r *request) (*reply, http.Header, error) {
	leave, err := c.gates.enter(ctx, r.gate)
	if err != nil {
		return nil, nil, fmt.Errorf("client: %s %s: wait for other requests: %w", r.method, r.path, err)
	}
	defer leave()
	ticket, err := c.pacer.acquire(ctx, r.slow > 0)
	if err != nil {
		return nil, nil, fmt.Errorf("client: %s %s: wait for the quota: %w", r.method, r.path, err)
	}
	start := c.clock.Now()
	status, header, body, err := c.send(ctx, r)
	ticket.done(status, header)
	c.log.LogAttrs(ctx, slog.LevelDebug, "request", slog.String("method", r.method), slog.String("path", r.path), slog.Int("status", status),
		slog.Duration("duration", c.clock.Now().Sub(start)), slog.String("request_id", header.Get("X-Request-Id")))
	switch {
	case err != nil:
		return nil, header, err
	case status >= 200 && status < 300:
		return &reply{status, header, body}, header, nil
	}
	e := decodeError(status, header, body)
	e.Method, e.Path = r.method, r.path
	return nil, header, e
}

// send sends a request and reads the response. The status is 0 if there is none.
func (c *Client) send(ctx context.Context, r *request) (status int, header http.Header, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout+r.slow)
	defer cancel()
	res, err := c.open(ctx, r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	most := c.maxResponse
	if res.StatusCode >= 300 {
		most = min(most, maxErrorBytes)
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case res.StatusCode >= 300: // the status counts, whatever the body is
		err = nil
	case err != nil:
		err = fmt.Errorf("client: %s %s: read the response: %w", r.method, r.path, err)
	case int64(len(body)) > most:
		err = fmt.Errorf("client: %s %s: %w: it has more than %d bytes", r.method, r.path, ErrResponse, most)
	}
	return res.StatusCode, res.Header, body, err
}

// open sends a request and returns the response, whose body the caller closes.
func (c *Client) open(ctx context.Context, r *request) (*http.Response, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.encoded != nil {
		body = bytes.NewReader(r.encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, argument("%s %s: %v", r.method, r.path, err)
	}
	req.Header = r.header.Clone()
	res, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the query, which may have emails
		}
		return nil, fmt.Errorf("client: %s %s: %w", r.method, r.path, err)
	}
	return res, nil
}

// fill sets the response of [WithResponse], if there is one.
func (r *Response) fill(rep *reply, header http.Header, err error, attempts int) {
	if r == nil {
		return
	}
	*r = Response{Header: header, RequestID: header.Get("X-Request-Id"), ETag: header.Get("Etag"), Attempts: attempts}
	if e, ok := errors.AsType[*Error](err); ok {
		r.Status = e.Status
	} else if rep != nil {
		r.Status = rep.status
	}
}

// decode reads the body of a response.
func (r *reply) decode(into any) error {
	if err := json.Unmarshal(r.body, into); err != nil {
		return fmt.Errorf("client: %w: status %d, request %s: %w", ErrResponse, r.status, r.requestID(), err)
	}
	return nil
}

// envelope is a response of V3.
type envelope[T any] struct {
	Data *T   `json:"data"`
	Meta meta `json:"meta"`
}

// get sends a request and decodes the response of V2.
func get[T any](ctx context.Context, c *Client, r request) (value T, err error) {
	rep, err := c.call(ctx, r)
	if err != nil {
		return value, err
	}
	return value, rep.decode(&value)
}

// getData sends a request and decodes the data of a response of V3.
func getData[T any](ctx context.Context, c *Client, r request) (data T, err error) {
	e, err := get[envelope[T]](ctx, c, r)
	if err != nil {
		return data, err
	}
	if e.Data == nil {
		return data, fmt.Errorf("client: %s %s: %w: it has no data", r.method, r.path, ErrResponse)
	}
	return *e.Data, nil
}

// run sends a request whose response has nothing to read.
func (c *Client) run(ctx context.Context, r request) error {
	_, err := c.call(ctx, r)
	return err
}

// Call sends a request to an operation that the client has no method for. The path begins
// after the store, such as "/v3/settings/store/profile". The body is encoded as JSON, or nil for none. The
// response is decoded into a value, or nil to ignore it. Limits, retries and errors are those
// of all methods.
func (c *Client) Call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	if path == "" || path[0] != '/' {
		return argument("the path %.80q does not begin with a slash", path)
	}
	rep, err := c.call(ctx, request{method: method, path: path, query: query, body: body, creates: method == http.MethodPost})
	if err != nil || into == nil || len(rep.body) == 0 {
		return err
	}
	return rep.decode(into)
}
