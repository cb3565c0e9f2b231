package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Conn is a connection for one request at a time, to check a response before or
// beside a run.
type Conn struct {
	conn net.Conn
	in   []byte
}

// Dial connects to a server at HOST:PORT.
func Dial(ctx context.Context, addr string) (*Conn, error) {
	dialer := net.Dialer{Timeout: grace}
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Conn{conn: c}, nil
}

// Close closes the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// Do sends a complete request, as [Client.Get] and [Client.Send] write them,
// and returns the status and the body of the response. The body is valid until
// the next call.
func (c *Conn) Do(request []byte) (status int, body []byte, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(grace)); err != nil {
		return 0, nil, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, err
	}
	var into bytes.Buffer
	c.in = c.in[:0]
	for {
		a, end, err := parse(c.in, &into)
		if err == nil && end < len(c.in) {
			err = errors.New("more than one response")
		}
		if !errors.Is(err, errMore) {
			return a.status, into.Bytes(), err
		}
		if err := c.read(); err != nil {
			return 0, nil, err
		}
	}
}

// read appends the received bytes to c.in.
func (c *Conn) read() error {
	c.in = grow(c.in)
	n, err := c.conn.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("after %d bytes of a response: %w", len(c.in), io.ErrUnexpectedEOF)
	}
	return err
}

// grow enlarges the capacity of b.
func grow(b []byte) []byte {
	const least = 32 << 10
	if len(b) < cap(b) {
		return b
	}
	return append(make([]byte, 0, max(least, 2*cap(b))), b...)
}
