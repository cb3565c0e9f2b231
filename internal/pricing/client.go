// Package pricing tells another pricing system, over HTTP, what sitewide discounts
// there are. docs/pricing-system.md is the contract.
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

// maxAnswer is how many bytes of an answer are read, and of its header.
const maxAnswer = 64 << 10

// Options is what a Client is made of.
type Options struct {
	URL    string // where to post to; see CheckURL
	Secret string // signs what is sent, MinSecret bytes or more
	// Now is the clock of the timestamps; nil is the system's.
	Now func() time.Time
	// Timeout bounds a call, the answer included; 0 is service.PushTimeout.
	Timeout time.Duration
}

// Client is a service.Pusher. Its errors name neither the path of its URL nor the
// secret.
type Client struct {
	url     *url.URL
	secret  []byte
	now     func() time.Time
	timeout time.Duration
	http    *http.Client
}

// New returns a client. Its errors are for the person who gave the options.
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
	c.http = &http.Client{Transport: newTransport(), CheckRedirect: stay}
	return c, nil
}

// parseURL reads the URL of a pricing system. Without TLS it has to be on this
// machine. What could be a secret has no place in it but the path, which is not
// logged.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the pricing URL is not a URL") // err quotes it
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

// stay takes an answer that leads elsewhere for what it is: no success. Whoever
// is there has no business with what is told here.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// How many connections are kept open between calls, and for how long.
const (
	maxIdleConns    = 8
	idleConnTimeout = 90 * time.Second
)

// newTransport returns connections straight to the pricing system: whatever
// proxies the environment names are not asked, for what they answer is not the
// pricing system's answer.
func newTransport() *http.Transport {
	return &http.Transport{
		// A connection is made for whoever needs one, and so goes on being made when
		// the call that wanted it is over.
		DialContext:            (&net.Dialer{Timeout: service.PushTimeout}).DialContext,
		TLSHandshakeTimeout:    service.PushTimeout,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:     true,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxAnswer,
	}
}

// Host returns the host that is called, for a log.
func (c *Client) Host() string { return c.url.Host }

// call is the body of a call.
type call struct {
	IdempotencyKey string    `json:"idempotency_key"`
	Version        int64     `json:"version"`
	StoreHash      string    `json:"store_hash"`
	GroupID        int64     `json:"customer_group_id"`
	Discount       *discount `json:"discount"` // null: none any more
}

type discount struct {
	Method cohort.Method `json:"method"`
	Amount string        `json:"amount"` // with four decimals
}

// PushSitewide tells a discount and returns nil if the pricing system says that it
// has taken it.
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
		return fmt.Errorf("the pricing system at %s refuses with status %d", c.Host(), res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return c.unreachable(err)
	}
	if err := checkAnswer(body, d.Key); err != nil {
		return fmt.Errorf("the answer with status %d from %s is not the pricing system's: %w", res.StatusCode, c.Host(), err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, d service.SitewideDiscount) (*http.Request, error) {
	told := call{IdempotencyKey: d.Key, Version: d.Version, StoreHash: d.StoreHash, GroupID: d.GroupID}
	if d.Rule != nil {
		told.Discount = &discount{d.Rule.Method, d.Rule.Amount.StringFixed(cohort.AmountScale)}
	}
	body, err := json.Marshal(told)
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

// unreachable is an error of the way to the pricing system. That of net/http
// quotes the URL.
func (c *Client) unreachable(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the pricing system at %s has not answered in time: %w", c.Host(), err)
	}
	return fmt.Errorf("the pricing system at %s cannot be reached: %w", c.Host(), err)
}

// checkAnswer reads the body of a 2xx answer, which has to be a JSON object that
// repeats the key of the call. Anything can answer 200, and only who has read the
// call knows that.
func checkAnswer(body []byte, key string) error {
	if len(body) > maxAnswer {
		return errors.New("it is too long")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return errors.New("it is no JSON object")
	}
	var echoed *string
	if err := json.Unmarshal(fields["idempotency_key"], &echoed); err != nil || echoed == nil || *echoed != key {
		return errors.New("it does not repeat the idempotency key")
	}
	return nil
}
