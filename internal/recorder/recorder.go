// Package recorder is the proxy of "cohort record": it passes requests on to a real store,
// and writes what it has seen into a recording.
package recorder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/exchange"
	"cohort.example/cohort/internal/upstream"
)

// Options are options of a Proxy.
type Options struct {
	To          *url.URL // of the API, as upstream.ParseURL returns it
	Writer      *exchange.Writer
	AllowWrites bool             // passes on more than GET and HEAD
	Now         func() time.Time // nil: time.Now
	// Failed is called with each error: of an exchange that cannot be written, or of a
	// store that does not answer. It is called by several goroutines.
	Failed func(error)
}

// Proxy is the handler. Close releases its connections.
type Proxy struct {
	Options
	transport *http.Transport
	forward   httputil.ReverseProxy
}

// New returns a proxy.
func New(o Options) *Proxy {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Proxy{Options: o, transport: upstream.NewTransport()}
	p.forward = httputil.ReverseProxy{
		Transport:      p.transport,
		Rewrite:        p.rewrite,
		ModifyResponse: p.watch,
		ErrorHandler:   p.unreachable,
		ErrorLog:       log.New(io.Discard, "", 0), // the errors of clients that have gone
	}
	return p
}

// Close closes the idle connections.
func (p *Proxy) Close() { p.transport.CloseIdleConnections() }

// ServeHTTP passes a request on. A request that only the proxy answers is not recorded.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !inStore(r.URL.Path) {
		api.WriteText(w, http.StatusNotFound, "cohort record passes on only paths such as /stores/HASH/v3/customers")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !p.AllowWrites {
		api.WriteText(w, http.StatusForbidden, "cohort record passes on only GET and HEAD; with --allow-writes it passes on all methods")
		return
	}
	if r.ContentLength > upstream.MaxRequest {
		api.WriteText(w, http.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), upstream.Timeout)
	defer cancel()
	s := &seen{raw: exchange.Raw{
		Time: p.Now(), Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, RequestHeader: r.Header.Clone(),
	}}
	r = r.WithContext(context.WithValue(ctx, seenKey{}, s))
	s.request.length = r.ContentLength
	if r.ContentLength != 0 {
		s.request.ReadCloser = http.MaxBytesReader(w, r.Body, upstream.MaxRequest)
		r.Body = &s.request
	}
	p.forward.ServeHTTP(w, r)
}

const tooLarge = "cohort record passes on bodies of at most 16 MiB"

// inStore reports whether a path is one of a dialect of a store.
func inStore(path string) bool {
	rest, ok := strings.CutPrefix(path, "/stores/")
	store, rest, _ := strings.Cut(rest, "/")
	return ok && store != "" && !strings.Contains(path, "/..") && (strings.HasPrefix(rest, "v2/") || strings.HasPrefix(rest, "v3/"))
}

// rewrite makes the request to the store. It leaves out Accept-Encoding, so that the
// transport asks for gzip and decodes it, and the recording can have the text.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(p.To)
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	r.Out.Header.Del("Accept-Encoding")
}

type seenKey struct{}

// seen is what a recording gets of a running request.
type seen struct {
	raw               exchange.Raw
	request, response copied
	once              sync.Once
}

// watch makes the body of a response record the exchange when it ends.
func (p *Proxy) watch(res *http.Response) error {
	if err := upstream.Limit(res); err != nil {
		return err
	}
	s := res.Request.Context().Value(seenKey{}).(*seen)
	s.raw.Status, s.raw.Header = res.StatusCode, res.Header.Clone()
	s.response.ReadCloser, s.response.length = res.Body, res.ContentLength
	if res.Request.Method == http.MethodHead {
		s.response.length = 0
	}
	s.response.ended = func() { s.once.Do(func() { p.keep(s) }) }
	res.Body = &s.response
	return nil
}

// keep writes an exchange. It runs before the client can read the end of the response.
func (p *Proxy) keep(s *seen) {
	s.raw.Duration = p.Now().Sub(s.raw.Time)
	s.raw.RequestBody, s.raw.Body = s.request.body(), s.response.body()
	if err := p.Writer.Add(s.raw); err != nil {
		p.fail(err)
	}
}

func (p *Proxy) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		api.WriteText(w, http.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	if r.Context().Err() == nil || errors.Is(r.Context().Err(), context.DeadlineExceeded) {
		p.fail(err)
	}
	api.WriteText(w, http.StatusBadGateway, "cohort record cannot reach the store")
}

func (p *Proxy) fail(err error) {
	if p.Failed != nil {
		p.Failed(err)
	}
}

// copied is a body that keeps a copy of its beginning.
type copied struct {
	io.ReadCloser
	length int64  // as announced; below 0: unknown
	ended  func() // called at the end, and when the body is closed; nil: nothing is

	mu       sync.Mutex // the transport may still send a request while its response ends
	text     bytes.Buffer
	size     int64
	complete bool
}

func (c *copied) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.mu.Lock()
	c.size += int64(n)
	if free := exchange.MaxBody - c.text.Len(); free > 0 {
		c.text.Write(p[:min(n, free)])
	}
	c.complete = c.complete || errors.Is(err, io.EOF)
	c.mu.Unlock()
	if err != nil && c.ended != nil {
		c.ended()
	}
	return n, err
}

func (c *copied) Close() error {
	if c.ended != nil {
		c.ended()
	}
	return c.ReadCloser.Close()
}

// body returns what is known of the body. If the end is missing, its size is that which
// was announced, or one byte more than was read.
func (c *copied) body() exchange.RawBody {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := exchange.RawBody{Text: bytes.Clone(c.text.Bytes()), Size: c.size}
	if c.length == c.size || c.length == 0 || c.complete {
		return b
	}
	b.Size = max(c.length, c.size+1)
	return b
}
