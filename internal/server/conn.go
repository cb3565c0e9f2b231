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
	// lingerTimeout is how long a connection with a body under way stays open
	// behind its refusal, so that a client that still sends can read the answer.
	lingerTimeout = 2 * time.Second
	// maxLinger is how many bytes of such a body are read and thrown away.
	maxLinger = 2 << 20
)

// conn is a client's connection. It knows whether the client has only stopped
// to send, or is gone.
type conn struct {
	net.Conn
	broken  atomic.Bool // reading or writing failed for another reason than an end or a deadline
	lingers atomic.Bool // Close lets the client read before it cuts the connection
}

// listener accepts connections of this package's.
type listener struct{ net.Listener }

// Listen returns a listener whose connections tell the server how their clients
// leave. It goes below TLS. The http.Server needs ConnContext as well.
func Listen(l net.Listener) net.Listener { return listener{l} }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type connKey struct{}

// ConnContext is for http.Server.ConnContext: it lets the server find the
// connection of a request.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	if ours, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, ours)
	}
	return ctx
}

// connOf returns the connection of a request's context, nil if its listener is
// not of this package.
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

// note keeps whether an error says that the client is gone. An end says only
// that it sends nothing more: it may still wait for its answer.
func (c *conn) note(err error) {
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.broken.Store(true)
	}
}

// CloseWrite ends the sending side.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Close closes the connection. To close it while the client sends would reset
// it, and a reset can overtake the answer. So, where a body was under way, the
// server's side ends first, and what still comes is thrown away for a while.
func (c *conn) Close() error {
	if c.lingers.CompareAndSwap(true, false) && c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTimeout)) // an error ends the copy as well
		_, _ = io.CopyN(io.Discard, c.Conn, maxLinger)
	}
	return c.Conn.Close()
}
