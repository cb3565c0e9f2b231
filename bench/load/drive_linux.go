package load

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// drive sends the requests of all callers from one thread that waits for all
// connections together. With one goroutine for each caller, Go's scheduler
// would use processor time that the server beside it needs.
func (r *run) drive() error {
	p := &poller{callers: make([]connected, r.Callers), events: make([]unix.EpollEvent, r.Callers)}
	defer p.close()
	if err := p.open(r.Addr); err != nil {
		return err
	}
	r.start = time.Now()
	busy := 0 // number of callers that wait for a response
	for i := range p.callers {
		sent, err := r.send(&p.callers[i], time.Since(r.start))
		if err != nil {
			return err
		}
		if sent {
			busy++
		}
	}
	for busy > 0 {
		ready, err := p.wait()
		if err != nil {
			return err
		}
		for _, e := range ready {
			done, err := r.receive(&p.callers[e.Fd])
			if err != nil {
				return err
			}
			if done {
				busy--
			}
		}
	}
	return nil
}

// connected is a caller with its connection.
type connected struct {
	caller
	socket int
}

// poller waits for the connections of all callers.
type poller struct {
	epoll   int
	callers []connected
	events  []unix.EpollEvent
	opened  []int // file descriptors
}

func (p *poller) open(addr string) (err error) {
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create1: %w", err)
	}
	p.opened = append(p.opened, p.epoll)
	for i := range p.callers {
		socket, err := connect(addr)
		if err != nil {
			return err
		}
		p.opened = append(p.opened, socket)
		p.callers[i].socket = socket
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)} // the event returns Fd
		if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, socket, &event); err != nil {
			return fmt.Errorf("epoll_ctl: %w", err)
		}
	}
	return nil
}

func (p *poller) close() {
	for _, fd := range p.opened {
		_ = unix.Close(fd) // closed after the run; no data can be lost
	}
}

// wait returns an event for each caller that can read.
func (p *poller) wait() ([]unix.EpollEvent, error) {
	for {
		n, err := unix.EpollWait(p.epoll, p.events, int(grace.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR): // a signal, such as those of the Go runtime
		case err != nil:
			return nil, fmt.Errorf("epoll_wait: %w", err)
		case n == 0:
			return nil, fmt.Errorf("no response within %s", grace)
		default:
			return p.events[:n], nil
		}
	}
}

// connect opens a connection with the same options as package net.
func connect(addr string) (socket int, err error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return 0, err
	}
	if !to.Addr().Is4() {
		return 0, fmt.Errorf("%s is not an IPv4 address", addr)
	}
	socket, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	err = errors.Join(
		unix.Connect(socket, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}),
		unix.SetsockoptInt(socket, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetNonblock(socket, true))
	if err != nil {
		return 0, errors.Join(fmt.Errorf("connect to %s: %w", addr, err), unix.Close(socket))
	}
	return socket, nil
}

// send sends the next request of a caller, unless it is time to stop.
func (r *run) send(c *connected, now time.Duration) (bool, error) {
	if !r.begin(&c.caller, now) {
		return false, nil
	}
	n, err := unix.Write(c.socket, c.request)
	if err == nil && n < len(c.request) {
		err = io.ErrShortWrite // the send buffer is empty, so the request fits
	}
	if err != nil {
		return false, fmt.Errorf("write: %w", err)
	}
	return true, nil
}

// receive reads the response of a caller. It reports whether the caller has
// finished.
func (r *run) receive(c *connected) (done bool, err error) {
	c.in = grow(c.in)
	n, err := unix.Read(c.socket, c.in[len(c.in):cap(c.in)])
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read: %w", err)
	}
	if n == 0 {
		return false, fmt.Errorf("after %d bytes of a response: %w", len(c.in), io.ErrUnexpectedEOF)
	}
	c.in = c.in[:len(c.in)+n]
	whole, now, err := r.ended(&c.caller)
	if err != nil || !whole {
		return false, err
	}
	sent, err := r.send(c, now)
	return !sent, err
}
