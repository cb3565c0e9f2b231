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

// left is a work whose client has sent nothing more since some seconds.
func left(writes bool, c *conn) (w *work, leave context.CancelFunc, cutOff context.CancelFunc) {
	ctx := context.WithValue(context.Background(), connKey{}, c)
	request, leave := context.WithCancel(ctx)
	server, cutOff := context.WithCancel(context.Background())
	return &work{request: request, cutOff: server, start: time.Now(), writes: writes}, leave, cutOff
}

// ending is when a context ends, and how.
func ending(ctx context.Context) (after time.Duration, err error) {
	begun := time.Now()
	<-ctx.Done()
	return time.Since(begun), ctx.Err()
}

// TestWorkEnds: work that reads goes on for a while when its client sends nothing
// more, and ends at once when it is gone. Work that writes takes its time.
func TestWorkEnds(t *testing.T) {
	reset := &conn{}
	reset.broken.Store(true)
	for _, c := range []struct {
		name      string
		writes    bool
		multiplex bool
		conn      *conn
		after     time.Duration
		err       error
		gone      bool
	}{
		{"reads, half-closed", false, false, &conn{}, leftGrace, context.Canceled, true},
		{"reads, reset", false, false, reset, 0, context.Canceled, true},
		{"reads, of a stream", false, true, &conn{}, 0, context.Canceled, true},
		{"writes, half-closed", true, false, &conn{}, workTimeout, context.DeadlineExceeded, false},
		{"writes, reset", true, false, reset, workTimeout, context.DeadlineExceeded, false},
		{"writes, of a stream", true, true, &conn{}, workTimeout, context.DeadlineExceeded, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, leave, _ := left(c.writes, c.conn)
				w.multiplex = c.multiplex
				child, cancel := context.WithCancel(w)
				defer cancel()
				leave()
				if after, err := ending(child); after != c.after || !errors.Is(err, c.err) || !errors.Is(w.Err(), c.err) {
					t.Errorf("it ended after %v with %v, want %v after %v", after, err, c.err, c.after)
				}
				if w.gone.Load() != c.gone {
					t.Errorf("its client is gone: %t, want %t", w.gone.Load(), c.gone)
				}
				w.release()
			})
		})
	}
}

// TestWorkOfPresentClient: nothing but time ends work whose client is there.
func TestWorkOfPresentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, leave, _ := left(false, &conn{})
		defer leave()
		if after, err := ending(w); after != workTimeout || !errors.Is(err, context.DeadlineExceeded) || w.gone.Load() {
			t.Errorf("it ended after %v with %v, want the end of its time", after, err)
		}
	})
}

// TestWorkIsCutOff: the server's end ends all work.
func TestWorkIsCutOff(t *testing.T) {
	for _, writes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, leave, cutOff := left(writes, &conn{})
			defer leave()
			cutOff()
			if after, err := ending(w); after != 0 || !errors.Is(err, context.Canceled) || w.gone.Load() {
				t.Errorf("writes: %t: it ended after %v with %v, want at once", writes, after, err)
			}
		})
	}
}

// TestWorkIsReleased: nothing is left of a work that is over. A timer that is
// left would keep the bubble from ending.
func TestWorkIsReleased(t *testing.T) {
	for _, clientLeft := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, leave, _ := left(false, &conn{})
			defer leave()
			w.Done()
			if clientLeft {
				leave()
				synctest.Wait()
			}
			w.release()
			if w.Err() == nil || w.gone.Load() {
				t.Errorf("client left: %t: after its end it is %v, client gone: %t", clientLeft, w.Err(), w.gone.Load())
			}
			time.Sleep(2 * leftGrace) // of the bubble's clock
			if w.gone.Load() {
				t.Error("the grace went on")
			}
		})
	}
}

// TestConnTellsEndFromReset: an end and a deadline are no sign that a client is
// gone; any other error is.
func TestConnTellsEndFromReset(t *testing.T) {
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
