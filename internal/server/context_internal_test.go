package server

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// newTestContext returns a requestContext, a function that closes its client's sending
// side, and a function that cuts off the server.
func newTestContext(writes bool, c *conn) (rc *requestContext, leave context.CancelFunc, cutOff context.CancelFunc) {
	ctx := context.WithValue(context.Background(), connKey{}, c)
	request, leave := context.WithCancel(ctx)
	server, cutOff := context.WithCancel(context.Background())
	return &requestContext{request: request, cutOff: server, start: time.Now(), writes: writes}, leave, cutOff
}

// waitForEnd returns the time until a context ends, and its error.
func waitForEnd(ctx context.Context) (after time.Duration, err error) {
	begun := time.Now()
	<-ctx.Done()
	return time.Since(begun), ctx.Err()
}

// The context of a read ends halfClosedGrace after its client has closed its sending
// side, and at once when its client has gone. The context of a write ends by timeout
// only.
func TestContextEnds(t *testing.T) {
	reset := &conn{}
	reset.broken.Store(true)
	for _, c := range []struct {
		name   string
		writes bool
		http2  bool
		conn   *conn
		after  time.Duration
		err    error
		gone   bool
	}{
		{"read, half-closed", false, false, &conn{}, halfClosedGrace, context.Canceled, true},
		{"read, reset", false, false, reset, 0, context.Canceled, true},
		{"read, HTTP/2 stream ended", false, true, &conn{}, 0, context.Canceled, true},
		{"write, half-closed", true, false, &conn{}, requestTimeout, context.DeadlineExceeded, false},
		{"write, reset", true, false, reset, requestTimeout, context.DeadlineExceeded, false},
		{"write, HTTP/2 stream ended", true, true, &conn{}, requestTimeout, context.DeadlineExceeded, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rc, leave, _ := newTestContext(c.writes, c.conn)
				rc.http2 = c.http2
				child, cancel := context.WithCancel(rc)
				defer cancel()
				leave()
				if after, err := waitForEnd(child); after != c.after || !errors.Is(err, c.err) || !errors.Is(rc.Err(), c.err) {
					t.Errorf("the context ended after %v with %v, want %v after %v", after, err, c.err, c.after)
				}
				if rc.gone.Load() != c.gone {
					t.Errorf("gone: %t, want %t", rc.gone.Load(), c.gone)
				}
				rc.release()
			})
		})
	}
}

// While the client is connected, the context ends by timeout only.
func TestContextTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rc, leave, _ := newTestContext(false, &conn{})
		defer leave()
		if after, err := waitForEnd(rc); after != requestTimeout || !errors.Is(err, context.DeadlineExceeded) || rc.gone.Load() {
			t.Errorf("the context ended after %v with %v, want a timeout after %v", after, err, requestTimeout)
		}
	})
}

// CutOff ends all contexts.
func TestContextIsCutOff(t *testing.T) {
	for _, writes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			rc, leave, cutOff := newTestContext(writes, &conn{})
			defer leave()
			cutOff()
			if after, err := waitForEnd(rc); after != 0 || !errors.Is(err, context.Canceled) || rc.gone.Load() {
				t.Errorf("writes: %t: the context ended after %v with %v, want at once", writes, after, err)
			}
		})
	}
}

// release stops the timers. A timer that still runs would keep the synctest bubble
// from ending.
func TestContextIsReleased(t *testing.T) {
	for _, clientLeft := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			rc, leave, _ := newTestContext(false, &conn{})
			defer leave()
			rc.Done()
			if clientLeft {
				leave()
				synctest.Wait()
			}
			rc.release()
			if rc.Err() == nil || rc.gone.Load() {
				t.Errorf("client left: %t: after release: error %v, gone: %t", clientLeft, rc.Err(), rc.gone.Load())
			}
			time.Sleep(2 * halfClosedGrace) // on the bubble's clock
			if rc.gone.Load() {
				t.Error("the grace timer still ran")
			}
		})
	}
}

// EOF and a deadline do not mean that a client has gone; any other error does.
func TestConnIsBroken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = Listen(l)
	defer l.Close()
	for _, reset := range []bool{false, true} {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := accepted.(*conn)
		_ = c.SetReadDeadline(time.Unix(1, 0))
		if _, err := c.Read(make([]byte, 1)); err == nil || c.broken.Load() {
			t.Errorf("a deadline: %v, broken: %t", err, c.broken.Load())
		}
		_ = c.SetReadDeadline(time.Time{})
		if reset {
			_ = client.(*net.TCPConn).SetLinger(0)
		}
		client.Close()
		_, err = c.Read(make([]byte, 1))
		if c.broken.Load() != reset || errors.Is(err, syscall.ECONNRESET) != reset {
			t.Errorf("reset: %t: %v, broken: %t", reset, err, c.broken.Load())
		}
		c.Close()
	}
}
