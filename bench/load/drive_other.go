//go:build !linux

package load

import (
	"context"
	"errors"
	"sync"
	"time"
)

// drive sends the requests with one goroutine for each caller. It works on
// every system and costs more.
func (r *run) drive() error {
	conns := make([]*Conn, r.Callers)
	for i := range conns {
		conn, err := Dial(context.Background(), r.Addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		conns[i] = conn
	}
	r.start = time.Now()
	var mu sync.Mutex // protects r
	var running sync.WaitGroup
	errs := make([]error, r.Callers)
	for i, conn := range conns {
		running.Go(func() { errs[i] = r.call(conn, &mu) })
	}
	running.Wait()
	return errors.Join(errs...)
}

func (r *run) call(conn *Conn, mu *sync.Mutex) error {
	var c caller
	mu.Lock()
	defer mu.Unlock()
	for r.begin(&c, time.Since(r.start)) {
		mu.Unlock()
		err := conn.exchange(&c)
		mu.Lock()
		if err != nil {
			return err
		}
		if _, _, err := r.ended(&c); err != nil {
			return err
		}
	}
	return nil
}

// exchange sends a request of a caller and reads the complete response.
func (conn *Conn) exchange(c *caller) error {
	if err := conn.conn.SetDeadline(time.Now().Add(grace)); err != nil {
		return err
	}
	if _, err := conn.conn.Write(c.request); err != nil {
		return err
	}
	conn.in = conn.in[:0]
	for {
		if err := conn.read(); err != nil {
			return err
		}
		if _, _, err := parse(conn.in, nil); !errors.Is(err, errMore) {
			c.in = conn.in
			return err
		}
	}
}
