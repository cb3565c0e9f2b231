// Package webhook sends the messages of webhooks over HTTP, to receivers that it does not
// trust.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"cohort.example/cohort/internal/service"
)

const (
	// Timeout bounds an attempt, from the lookup of the name to the end of the response.
	Timeout = 10 * time.Second
	// bodyTimeout bounds the reading of a body, whose status is known by then.
	bodyTimeout = 2 * time.Second
	// maxHeader is how many bytes the header of a response may have.
	maxHeader = 64 << 10
	// maxKept is how many bytes of a body are kept.
	maxKept = 1 << 10
	// maxError is how many bytes of an error are kept, which may repeat what a receiver sent.
	maxError = 300
	// maxDrained is how many bytes of a body are read. A connection with more in it is
	// closed.
	maxDrained = 64 << 10
	// maxIdle and maxIdlePerHost bound the idle connections. A node sends to one host with up
	// to 128 at a time: 8 hooks with 16 messages each.
	maxIdle        = 512
	maxIdlePerHost = 128
	// idleTimeout is how long a connection stays idle.
	idleTimeout = 30 * time.Second
)

// Options are the options of a Sender.
type Options struct {
	// Dev allows http, all ports, and all addresses. Otherwise destinations are https on
	// port 443 of a public address, as at the vendor.
	Dev bool
	// AllowPrivate allows destinations that are not public addresses.
	AllowPrivate bool
	// RootCAs are the authorities of receivers; nil: those of the system.
	RootCAs *x509.CertPool
	// Timeout bounds an attempt; 0 is Timeout.
	Timeout time.Duration
	// Resolver looks up names; nil: that of the system.
	Resolver *net.Resolver
}

// Sender is a service.HookSender. Its methods may be called concurrently.
type Sender struct {
	rules   rules
	timeout time.Duration
	http    *http.Client
}

// New returns a sender.
func New(o Options) *Sender {
	s := &Sender{rules: rules{dev: o.Dev, private: o.Dev || o.AllowPrivate}, timeout: o.Timeout}
	if s.timeout == 0 {
		s.timeout = Timeout
	}
	s.http = &http.Client{Transport: newTransport(o, s.rules, s.timeout), CheckRedirect: noRedirects}
	return s
}

// noRedirects makes a redirect a response like any other, and so a failure. It would lead to
// a destination that the server has not checked.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newTransport returns a transport without a proxy, which would dial for it and not check
// addresses.
func newTransport(o Options, r rules, timeout time.Duration) *http.Transport {
	// Dialing goes on after the attempt that needed the connection has ended. It needs its
	// own timeout.
	dialer := &net.Dialer{Timeout: timeout, Resolver: o.Resolver, Control: r.control}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    timeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: maxDrained, SendPingTimeout: timeout, PingTimeout: timeout},
		DisableCompression:     true, // a small body could become a large one
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// CheckDestination returns KindInvalid for a URL to which nothing may be sent. It looks up no
// name: Send checks the address that it dials.
func (s *Sender) CheckDestination(destination string) error {
	_, err := s.rules.parse(destination)
	return err
}

// Send makes one attempt, of at most Timeout.
func (s *Sender) Send(ctx context.Context, a service.HookAttempt) service.HookAnswer {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	u, err := s.rules.parse(a.Destination)
	if err != nil { // the rules were others when the hook was created
		return service.HookAnswer{Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(a.Body))
	if err != nil {
		return service.HookAnswer{Err: err}
	}
	req.Header = header(a)
	answer := service.HookAnswer{Request: logged(req.Header, a.Headers)}
	sign(req.Header, a)
	res, err := s.http.Do(req)
	if err != nil {
		answer.Err = short(plain(ctx, err))
		return answer
	}
	defer res.Body.Close()
	answer.Status = res.StatusCode
	if res.StatusCode != http.StatusSwitchingProtocols { // its body is the connection, which ctx does not end
		answer.Response = beginning(res.Body, cancel)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		answer.Err = fmt.Errorf("the response has status %d", res.StatusCode)
	}
	return answer
}

// beginning returns the beginning of a body. It reads a bit more, so that the connection can
// be used again, but not for long. cancel ends the attempt. The status decides about the
// attempt, so errors of the body do not matter.
func beginning(body io.Reader, cancel func()) string {
	defer time.AfterFunc(bodyTimeout, cancel).Stop()
	kept, err := io.ReadAll(io.LimitReader(body, maxKept))
	if err == nil {
		_, _ = io.CopyN(io.Discard, body, maxDrained-maxKept) // its end is an error too
	}
	return text(string(kept))
}

// text returns a text of a receiver that can be stored. PostgreSQL stores no NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}
