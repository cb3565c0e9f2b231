package pgtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"regexp"
	"sync"
	"testing"
)

// Proxy forwards connections to a server and cuts them on request. Connections
// through it must not be encrypted.
type Proxy struct {
	server   string
	listener net.Listener

	mu          sync.Mutex
	changed     *sync.Cond // of stalled
	links       map[*link]bool
	refuses     bool
	stalled     bool
	plan        *plan
	dropCancels bool
	left        int64 // bytes to the server until the cut
	counts      bool  // left is in effect
	done        sync.WaitGroup
}

// A plan is what happens to the next statement that contains a word.
type plan struct {
	word *regexp.Regexp
	when moment

	once sync.Once
	done chan struct{} // closed when the connection is reset
}

func (p *plan) happened() { p.once.Do(func() { close(p.done) }) }

type moment int

const (
	beforeSending moment = iota
	afterSending
	afterResponse
)

// NewProxy starts a proxy in front of the server at addr, such as
// [Server.Addr]. It is gone when the test ends.
func NewProxy(t testing.TB, addr string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{server: addr, listener: listener, links: map[*link]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.done.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Resume()
		p.Refuse(true)
		p.CutAll()
		p.done.Wait()
	})
	return p
}

// Addr is the address that the proxy listens on.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// URL returns the URL of a server with the address of the proxy in it.
func (p *Proxy) URL(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err) // the test made the URL itself
	}
	u.Host = p.Addr()
	return u.String()
}

// CutAll resets all connections.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Refuse makes the proxy close new connections at once, or accept them again.
// Existing connections stay.
func (p *Proxy) Refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = yes
}

// Stall holds back all bytes in both directions. Connections stay open.
func (p *Proxy) Stall() { p.setStalled(true) }

// Resume ends a stall.
func (p *Proxy) Resume() { p.setStalled(false) }

func (p *Proxy) setStalled(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = yes
	p.changed.Broadcast()
}

// CutAfterBytes lets n more bytes pass to the server, counted over all
// connections, and then resets the connection that sends the next one. It does
// so once.
func (p *Proxy) CutAfterBytes(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.counts = n, true
}

// CutBefore resets the connection that sends the next statement with a word in
// it, such as COMMIT. The server does not receive the statement. The channel is
// closed when the connection is reset. CutBefore, CutAfter and LoseResponse
// replace each other: only the latest call has an effect, once.
func (p *Proxy) CutBefore(word string) <-chan struct{} { return p.arm(word, beforeSending) }

// CutAfter resets the connection as soon as the statement is sent to the
// server. The server executes it, possibly after the client has reconnected.
// CutAfter also finds statements that were prepared earlier. From then on the
// proxy drops cancel requests: drivers send one when a connection breaks, and
// it could cancel a commit that is still under way.
func (p *Proxy) CutAfter(word string) <-chan struct{} { return p.arm(word, afterSending) }

// LoseResponse resets the connection instead of forwarding the server's response
// to the statement. The server has executed the statement by that time.
func (p *Proxy) LoseResponse(word string) <-chan struct{} { return p.arm(word, afterResponse) }

func (p *Proxy) arm(word string, when moment) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = &plan{word: wordPattern(word), when: when, done: make(chan struct{})}
	return p.plan.done
}

// planFor returns the plan that applies to a statement, and removes it.
func (p *Proxy) planFor(sql string) *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.plan
	if found == nil || sql == "" || !found.word.MatchString(sql) {
		return nil
	}
	p.plan = nil
	p.dropCancels = p.dropCancels || found.when != beforeSending
	return found
}

// allowance returns how many of n bytes may pass to the server.
func (p *Proxy) allowance(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.counts {
		return n
	}
	allowed := min(p.left, int64(n))
	p.left -= allowed
	if allowed < int64(n) {
		p.counts = false
	}
	return int(allowed)
}

func (p *Proxy) dropsCancels() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropCancels
}

func (p *Proxy) waitWhileStalled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled {
		p.changed.Wait()
	}
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.done.Go(func() { p.serve(conn.(*net.TCPConn)) })
	}
}

func (p *Proxy) serve(client *net.TCPConn) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", p.server)
	if err != nil {
		reset(client)
		return
	}
	l := &link{proxy: p, client: client, server: conn.(*net.TCPConn), statements: newStatements()}
	if !p.add(l) {
		l.cut()
		return
	}
	var both sync.WaitGroup
	both.Go(l.up)
	both.Go(l.down)
	both.Wait()
	_ = l.client.Close()
	_ = l.server.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.refuses {
		p.links[l] = true
	}
	return !p.refuses
}

// link is a connection of a client and its connection to the server.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn
	statements     *statements

	mu     sync.Mutex
	losing *plan // its response is lost
}

// cut resets both connections.
func (l *link) cut() {
	reset(l.client)
	reset(l.server)
}

// reset closes a connection with a reset, as if the other end had vanished.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // it may be closed already
	_ = c.Close()
}

// up forwards the client's messages to the server.
func (l *link) up() {
	in := &messages{in: bufio.NewReader(l.client)}
	var due *plan // for the statement under way
	for {
		m, err := in.next()
		if err != nil {
			_ = l.server.CloseWrite() // the server sees that the client closed its side
			return
		}
		l.proxy.waitWhileStalled()
		if m.code() == cancelRequest && l.proxy.dropsCancels() {
			l.cut()
			return
		}
		if found := l.proxy.planFor(l.statements.executed(m)); found != nil {
			due = found
		}
		if !l.pass(m, due) {
			return
		}
	}
}

// pass forwards a message and executes the plan that is due. It returns false
// when it has ended the connection.
func (l *link) pass(m message, due *plan) bool {
	switch {
	case due == nil:
		return l.send(m.raw)
	case due.when == beforeSending:
		l.cut()
		due.happened()
		return false
	case !m.commits():
		return l.send(m.raw)
	}
	l.lose(due) // before sending, because the server may respond at once
	if !l.send(m.raw) {
		return false
	}
	if due.when == afterResponse {
		return true
	}
	l.abandon(due)
	return false
}

// send forwards the bytes that may pass. If not all may, it cuts the
// connection.
func (l *link) send(raw []byte) bool {
	allowed := l.proxy.allowance(len(raw))
	if _, err := l.server.Write(raw[:allowed]); err != nil {
		reset(l.client)
		return false
	}
	if allowed < len(raw) {
		l.close()
		return false
	}
	return true
}

// abandon executes a plan after which the server keeps what it has received.
func (l *link) abandon(due *plan) {
	l.close()
	due.happened()
}

// close resets the connection of the client. It closes the connection to the
// server without a reset, which could discard bytes that the server has not
// read yet.
func (l *link) close() {
	reset(l.client)
	_ = l.server.CloseWrite()
}

// lose withholds the next response of the server from the client.
func (l *link) lose(p *plan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losing = p
}

func (l *link) lost() *plan {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.losing
}

// down forwards the server's bytes to the client. After the client has gone it
// still reads them, so that the server can finish.
func (l *link) down() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := l.server.Read(buffer)
		l.forward(buffer[:n])
		if errors.Is(err, io.EOF) {
			_ = l.client.CloseWrite() // the client sees that the server closed its side
			return
		}
		if err != nil {
			reset(l.client)
			return
		}
	}
}

// forward sends the server's bytes to the client, unless they are to be lost.
// A response is complete when the server is ready for the next query.
func (l *link) forward(b []byte) {
	lost := l.lost()
	if lost == nil {
		l.proxy.waitWhileStalled()
		_, _ = l.client.Write(b) // up notices when the client has gone
		return
	}
	const ready = "Z\x00\x00\x00\x05"
	if lost.when == afterResponse && len(b) > len(ready) && bytes.HasPrefix(b[len(b)-len(ready)-1:], []byte(ready)) {
		l.lose(nil)
		l.abandon(lost)
	}
}
