package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOnlyWhatCannotHappenTwiceIsRepeated has each kind of request meet each failure.
func TestOnlyWhatCannotHappenTwiceIsRepeated(t *testing.T) {
	calls := map[string]func(context.Context, *Client) error{
		"GET": func(ctx context.Context, c *Client) error { _, err := c.Groups.Get(ctx, 1); return err },
		"PUT": func(ctx context.Context, c *Client) error {
			_, err := c.Groups.Update(ctx, 1, GroupUpdate{})
			return err
		},
		"DELETE": func(ctx context.Context, c *Client) error { return c.Groups.Delete(ctx, 1) },
		"POST":   func(ctx context.Context, c *Client) error { _, err := c.Groups.Create(ctx, GroupUpdate{}); return err },
		"POST with a key": func(ctx context.Context, c *Client) error {
			_, err := c.Groups.Create(WithIdempotencyKey(ctx, "k"), GroupUpdate{})
			return err
		},
		"POST that reads": func(ctx context.Context, c *Client) error { _, err := c.Prices.Get(ctx, PriceRequest{}); return err },
		"password": func(ctx context.Context, c *Client) error {
			_, err := c.Customers.CheckPassword(ctx, 1, "x")
			return err
		},
		"DeleteMany": func(ctx context.Context, c *Client) error {
			return c.Customers.DeleteMany(ctx, CustomerFilter{MinID: 1}, 5)
		},
		"PUT with a tag": func(ctx context.Context, c *Client) error {
			_, err := c.Groups.Update(WithIfMatch(ctx, `"1"`), 1, GroupUpdate{})
			return err
		},
		"Call": func(ctx context.Context, c *Client) error { return c.Call(ctx, "POST", "/v3/segments", nil, nil, nil) },
	}
	all := []string{"GET", "PUT", "DELETE", "POST", "POST with a key", "POST that reads", "password", "DeleteMany", "PUT with a tag", "Call"}
	safe := []string{"GET", "PUT", "DELETE", "POST with a key", "POST that reads"}
	for failure, repeated := range map[string][]string{
		"429 ": all, "dial": all, "503 ": safe, "502 ": safe, "504 ": safe, "reset": safe, "cut": safe,
		"409 Retry-After: 1\n": {"POST with a key"}, "500 ": nil, "400 ": nil, "422 ": nil, "401 ": nil, "409 ": nil,
	} {
		for name, call := range calls {
			sent := 0
			c, _ := newFake(t, nil, WithHTTPClient(&http.Client{Transport: failing{failure, &sent}}))
			err := call(t.Context(), c)
			want := 1
			if slices.Contains(repeated, name) {
				want = 4
			}
			if sent != want || err == nil {
				t.Errorf("%s after %q: %d requests, want %d (%v)", name, failure, sent, want, err)
			}
		}
	}
}

// failing is a server that fails.
type failing struct {
	how  string
	sent *int
}

func (f failing) RoundTrip(*http.Request) (*http.Response, error) {
	*f.sent++
	switch f.how {
	case "dial":
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	case "reset":
		return nil, &net.OpError{Op: "read", Err: errors.New("connection reset")}
	case "cut":
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), cut{}))}, nil
	}
	w := httptest.NewRecorder()
	write(w, f.how)
	return w.Result(), nil
}

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestDeletionThatWasRepeated(t *testing.T) {
	h, got := answers(t, "502 ", "404 ", "404 ", "429 ", "404 ")
	c, _ := newFake(t, h)
	if err := c.Groups.Delete(t.Context(), 1); err != nil || len(*got) != 2 {
		t.Errorf("the second deletion finds nothing: %v", err)
	}
	if err := c.Groups.Delete(t.Context(), 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("a group that never was: %v", err)
	}
	if err := c.Groups.Delete(t.Context(), 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("a 429 has deleted nothing: %v", err)
	}
}

func TestWaits(t *testing.T) {
	const headers = "X-Rate-Limit-Requests-Quota: 150\nX-Rate-Limit-Time-Window-Ms: 30000\nX-Rate-Limit-Time-Reset-Ms: 12000\n"
	for _, c := range []struct {
		name, answer string
		min, max     time.Duration
		waits        int
	}{
		{"a 429 without headers", "429 ", 125 * time.Millisecond, 251 * time.Millisecond, 3},
		{"a 503 without headers", "503 ", 125 * time.Millisecond, 251 * time.Millisecond, 3},
		{"the end of the window", "429 X-Retry-After: 3\nX-Rate-Limit-Requests-Left: 0\n" + headers, 12 * time.Second, 13200 * time.Millisecond, 3},
		{"a concurrency limit", "429 X-Retry-After: 1\nX-Rate-Limit-Requests-Left: 70\n" + headers, time.Second, 1100 * time.Millisecond, 3},
		{"a standard header", "503 Retry-After: 2\n", 2 * time.Second, 2200 * time.Millisecond, 3},
		{"a date", "503 Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\n", 125 * time.Millisecond, 251 * time.Millisecond, 3},
		{"a wait that is too long", "429 X-Retry-After: 600\n", 0, 0, 0},
		{"a wait that nobody believes", "429 X-Retry-After: 99999999\n", 125 * time.Millisecond, 251 * time.Millisecond, 3},
		{"headers that make no sense", "429 X-Rate-Limit-Requests-Left: -5\n" + headers, 125 * time.Millisecond, 251 * time.Millisecond, 3},
	} {
		h, _ := answers(t, slices.Repeat([]string{c.answer}, 4)...)
		client, clock := newFake(t, h)
		_, err := client.Groups.Get(t.Context(), 1)
		if err == nil || len(clock.waits) < c.waits || c.waits == 0 && len(clock.waits) > 0 {
			t.Errorf("%s: waits %v, %v", c.name, clock.waits, err)
			continue
		}
		if c.waits > 0 && (clock.waits[0] < c.min || clock.waits[0] > c.max) {
			t.Errorf("%s: the first wait is %v, want %v to %v", c.name, clock.waits[0], c.min, c.max)
		}
	}
}

func TestBackOffDoubles(t *testing.T) {
	p := RetryPolicy{Attempts: 100, MinWait: time.Second, MaxWait: time.Minute}
	r := &request{method: "GET"}
	for attempt, top := range []time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 7: time.Minute, 99: time.Minute} {
		if top == 0 {
			continue
		}
		wait, again := p.next(r, attempt, &Error{Status: 503})
		if !again || wait < top/2 || wait > top {
			t.Errorf("attempt %d waits %v, want %v to %v", attempt, wait, top/2, top)
		}
	}
	if _, again := p.next(r, 100, &Error{Status: 503}); again {
		t.Error("there is an attempt too many")
	}
}

func TestIdempotencyKeys(t *testing.T) {
	var keys []string
	c, _ := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		if len(keys)%2 == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"id":1,"success":true}`)
	}, WithIdempotencyKeys())
	for range 2 {
		if _, err := c.Groups.Create(t.Context(), GroupUpdate{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(keys) != 4 || keys[0] == "" || keys[0] != keys[1] || keys[2] != keys[3] || keys[1] == keys[2] {
		t.Errorf("the keys are %q", keys)
	}
	if _, err := c.Groups.Update(t.Context(), 1, GroupUpdate{}); err != nil || keys[4] != "" {
		t.Errorf("a PUT has the key %q (%v)", keys[4], err)
	}
	if _, err := c.Customers.CheckPassword(t.Context(), 1, "x"); err == nil || len(keys) != 7 || keys[6] != "" {
		t.Errorf("a check has the keys %q (%v)", keys, err)
	}
}

// TestHeaders checks what each request has, and that the log has no secrets.
func TestHeaders(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var got []*http.Request
	c, _ := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r)
		w.Header().Set("Etag", `"7"`)
		w.Header().Set("X-Request-Id", "44")
		if len(got) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `[]`)
	}, WithLogger(logger), WithUserAgent("mine/1"))
	var res Response
	ctx := WithActor(WithIfMatch(WithResponse(t.Context(), &res), `"6"`), "Ann", "ticket 1")
	if _, err := c.Customers.List(ctx, CustomerFilter{Email: Set("ann@example.com")}, Page{}); err != nil {
		t.Fatal(err)
	}
	if res.Status != 200 || res.RequestID != "44" || res.ETag != `"7"` || res.Attempts != 2 {
		t.Errorf("the response is %+v", res)
	}
	h := got[1].Header
	for name, want := range map[string]string{
		"X-Auth-Token": "a-token", "Accept": "application/json", "User-Agent": "mine/1", "Content-Type": "", "If-Match": "",
		"X-Cohort-Actor": "Ann", "X-Cohort-Reason": "ticket 1",
	} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	if text := log.String(); strings.Contains(text, "a-token") || strings.Contains(text, "ann@") || !strings.Contains(text, "path=/v2/customers") || !strings.Contains(text, "msg=retry") {
		t.Errorf("the log is\n%s", text)
	}
	_ = c.Groups.Delete(ctx, 1)
	if got[2].Header.Get("If-Match") != `"6"` {
		t.Error("a deletion has no tag")
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	h, got := answers(t, "301 Location: http://evil.example/\n")
	c, _ := newFake(t, h)
	if _, err := c.Groups.Get(t.Context(), 1); err == nil {
		t.Error("a redirect is no error")
	}
	if len(*got) != 1 {
		t.Errorf("requests: %q", *got)
	}
}

// TestQueryIsNotInErrors: a query may have emails.
func TestQueryIsNotInErrors(t *testing.T) {
	sent := 0
	c, _ := newFake(t, nil, WithHTTPClient(&http.Client{Transport: failing{"reset", &sent}}))
	_, err := c.Customers.List(t.Context(), CustomerFilter{Email: Set("ann@example.com")}, Page{})
	if err == nil || strings.Contains(err.Error(), "ann") || !strings.Contains(err.Error(), "GET /v2/customers") {
		t.Errorf("got %v", err)
	}
}
