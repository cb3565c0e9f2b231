package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

const (
	// lingerTimeout is how long a connection stays open after a response that was
	// sent before the whole body had arrived, so that a client that is still sending
	// can read the response.
	lingerTimeout = 2 * time.Second
	// maxLinger is how many bytes of such a body are read and discarded.
	maxLinger = 2 << 20
)

// conn is a client connection that distinguishes a client that has closed its
// sending side from one that has gone.
type conn struct {
	net.Conn
	broken  atomic.Bool // a read or write failed, and not by io.EOF or a deadline
	lingers atomic.Bool // Close gives the client time to read the response
}

// listener accepts conns.
type listener struct{ net.Listener }

// Listen wraps a listener so that the server can detect clients that have gone. TLS
// goes on top of it. The http.Server also needs ConnContext.
func Listen(l net.Listener) net.Listener { return listener{l} }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type connKey struct{}

// ConnContext is for http.Server.ConnContext. It stores the connection in the
// context of its requests.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	if ours, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, ours)
	}
	return ctx
}

// connOf returns the connection of a request's context, or nil if its listener is
// not from Listen.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.note(err)
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.note(err)
	return n, err
}

// note sets broken if an error means that the client has gone. After io.EOF the
// client may still wait for its response.
func (c *conn) note(err error) {
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.broken.Store(true)
	}
}

// CloseWrite closes the sending side.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Close closes the connection. Closing it while the client is sending would reset
// it, and the client could see the reset before the response. So if c.lingers is
// set, Close first closes the sending side only, and discards what arrives for up
// to lingerTimeout.
func (c *conn) Close() error {
	if c.lingers.CompareAndSwap(true, false) && c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTimeout)) // if it fails, so does the copy
		_, _ = io.CopyN(io.Discard, c.Conn, maxLinger)
	}
	return c.Conn.Close()
}
