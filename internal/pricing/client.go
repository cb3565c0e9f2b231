// Package pricing sends sitewide discounts to an external pricing system over HTTP.
// docs/pricing-system.md is the contract.
package pricing

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// maxResponse is how many bytes the body of a response may have, and its header.
const maxResponse = 64 << 10

// Options are the options of a Client.
type Options struct {
	URL    string // where calls are posted; https, or http to this machine
	Secret string // the key of the signatures, at least MinSecret bytes
	// Now is the clock of the timestamps; nil is the system clock.
	Now func() time.Time
	// Timeout bounds a call including its response; 0 is service.PushTimeout.
	Timeout time.Duration
}

// Client is a service.Pusher. Its errors contain neither the path of its URL nor the
// secret.
type Client struct {
	url     *url.URL
	secret  []byte
	now     func() time.Time
	timeout time.Duration
	http    *http.Client
}

// New returns a client, or an error if an option is invalid.
func New(o Options) (*Client, error) {
	u, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	if len(o.Secret) < MinSecret {
		return nil, fmt.Errorf("the pricing secret has %d bytes, and needs at least %d", len(o.Secret), MinSecret)
	}
	c := &Client{url: u, secret: []byte(o.Secret), now: o.Now, timeout: o.Timeout}
	if c.now == nil {
		c.now = time.Now
	}
	if c.timeout == 0 {
		c.timeout = service.PushTimeout
	}
	c.http = &http.Client{Transport: newTransport(), CheckRedirect: noRedirects}
	return c, nil
}

// parseURL parses the URL of the pricing system. http is allowed to this machine only.
// The URL must not have parts that could contain a secret and could be logged.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the pricing URL is not a URL") // err quotes the URL
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return nil, errors.New("the pricing URL has to be https://HOST/PATH")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return nil, errors.New("the pricing URL must have no user, no query and no fragment; calls are signed with the secret")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("the pricing URL has to be https, unless it is on this machine")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// noRedirects makes a redirect a response like any other, and so a failure: the call must
// not be sent to another host.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Bounds of the idle connections between calls.
const (
	maxIdleConns    = 8
	idleConnTimeout = 90 * time.Second
)

// newTransport returns a transport without a proxy: a response of a proxy from the
// environment would not be one of the pricing system.
func newTransport() *http.Transport {
	return &http.Transport{
		// Dialing goes on after the call that needed the connection has ended, so that
		// the next call can use it. It needs its own timeout.
		DialContext:            (&net.Dialer{Timeout: service.PushTimeout}).DialContext,
		TLSHandshakeTimeout:    service.PushTimeout,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:     true,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxResponse,
	}
}

// Host returns the host of the pricing system, for the log.
func (c *Client) Host() string { return c.url.Host }

// call is the body of a call.
type call struct {
	IdempotencyKey string    `json:"idempotency_key"`
	Version        int64     `json:"version"`
	StoreHash      string    `json:"store_hash"`
	GroupID        int64     `json:"customer_group_id"`
	Discount       *discount `json:"discount"` // null: the group has no discount any more
}

type discount struct {
	Method cohort.Method `json:"method"`
	Amount string        `json:"amount"` // with four decimals
}

// PushSitewide sends a discount. It returns nil if the pricing system has confirmed it.
func (c *Client) PushSitewide(ctx context.Context, d service.SitewideDiscount) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.request(ctx, d)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("the pricing system at %s responded with status %d", c.Host(), res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxResponse+1))
	if err != nil {
		return c.unreachable(err)
	}
	if err := checkResponse(body, d.Key); err != nil {
		return fmt.Errorf("the response with status %d from %s is not one of a pricing system: %w", res.StatusCode, c.Host(), err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, d service.SitewideDiscount) (*http.Request, error) {
	payload := call{IdempotencyKey: d.Key, Version: d.Version, StoreHash: d.StoreHash, GroupID: d.GroupID}
	if d.Rule != nil {
		payload.Discount = &discount{d.Rule.Method, d.Rule.Amount.StringFixed(cohort.AmountScale)}
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now := c.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "cohort")
	req.Header.Set(KeyHeader, d.Key)
	req.Header.Set(TimestampHeader, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(SignatureHeader, Sign(c.secret, now, body))
	return req, nil
}

// unreachable wraps a network error. It unwraps url.Error, which contains the URL.
func (c *Client) unreachable(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the pricing system at %s did not respond in time: %w", c.Host(), err)
	}
	return fmt.Errorf("the pricing system at %s cannot be reached: %w", c.Host(), err)
}

// checkResponse checks the body of a 2xx response: a JSON object that repeats the key of
// the call. Any web server can respond with 200, but only one that has read the call knows
// the key.
func checkResponse(body []byte, key string) error {
	if len(body) > maxResponse {
		return errors.New("the body is too long")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return errors.New("the body is not a JSON object")
	}
	var echoed *string
	if err := json.Unmarshal(fields["idempotency_key"], &echoed); err != nil || echoed == nil || *echoed != key {
		return errors.New("the body does not repeat the idempotency key")
	}
	return nil
}
