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

// Proxy stands between clients and a server and loses their connections when it
// is told to. Connections through it must not be encrypted.
type Proxy struct {
	server   string
	listener net.Listener

	mu      sync.Mutex
	changed *sync.Cond // of stalled
	links   map[*link]bool
	refuses bool
	stalled bool
	plan    *plan
	deaf    bool  // to requests to cancel
	left    int64 // bytes to the server until the cut
	counts  bool  // left is in force
	done    sync.WaitGroup
}

// A plan is what happens to the next statement with a word.
type plan struct {
	word *regexp.Regexp
	when moment

	once sync.Once
	done chan struct{} // closed when it has happened
}

func (p *plan) happened() { p.once.Do(func() { close(p.done) }) }

type moment int

const (
	beforeSending moment = iota
	afterSending
	afterAnswer
)

// NewProxy starts a proxy before the server at addr, such as [Server.Addr], that
// is gone when the test ends.
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

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// URL returns the URL of a server with the proxy's address in it.
func (p *Proxy) URL(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err) // it is a test's own
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

// Refuse makes the proxy close new connections at once, or no longer. Those
// that there are stay.
func (p *Proxy) Refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = yes
}

// Stall holds up all bytes in both directions; connections stay open.
func (p *Proxy) Stall() { p.setStalled(true) }

// Resume lets bytes pass again.
func (p *Proxy) Resume() { p.setStalled(false) }

func (p *Proxy) setStalled(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = yes
	p.changed.Broadcast()
}

// CutAfterBytes lets n more bytes pass to the server, of all connections
// together, and then resets the connection that would send another. It does so
// once.
func (p *Proxy) CutAfterBytes(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.counts = n, true
}

// CutBefore resets the connection that is about to carry out the next statement
// with a word in it, such as COMMIT: the server never gets it. The channel is
// closed when that has happened. Only the latest of the plans made by CutBefore,
// CutAfter and LoseAnswer counts, once.
func (p *Proxy) CutBefore(word string) <-chan struct{} { return p.arm(word, beforeSending) }

// CutAfter resets the connection as soon as the statement is on its way: the
// server gets it and carries it out, maybe later than the client comes back.
// It finds statements that were prepared before, too. From then on requests to
// cancel are lost: drivers send one when a connection breaks, and it might undo
// a commit that is not through yet.
func (p *Proxy) CutAfter(word string) <-chan struct{} { return p.arm(word, afterSending) }

// LoseAnswer resets the connection instead of handing over the server's answer
// to the statement: the server has carried it out by then.
func (p *Proxy) LoseAnswer(word string) <-chan struct{} { return p.arm(word, afterAnswer) }

func (p *Proxy) arm(word string, when moment) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = &plan{word: wordPattern(word), when: when, done: make(chan struct{})}
	return p.plan.done
}

// planFor returns the plan that a statement falls under, and drops it.
func (p *Proxy) planFor(sql string) *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.plan
	if found == nil || sql == "" || !found.word.MatchString(sql) {
		return nil
	}
	p.plan = nil
	p.deaf = p.deaf || found.when != beforeSending
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

func (p *Proxy) isDeaf() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deaf
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

// link is a client's connection and the one to the server that goes with it.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn
	statements     *statements

	mu     sync.Mutex
	losing *plan // whose answer, when it comes, is lost
}

// cut resets both connections.
func (l *link) cut() {
	reset(l.client)
	reset(l.server)
}

// reset closes a connection as if its other end had vanished.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // it may be closed already
	_ = c.Close()
}

// up carries the client's messages to the server.
func (l *link) up() {
	in := &messages{in: bufio.NewReader(l.client)}
	var due *plan // for the statement that has begun
	for {
		m, err := in.next()
		if err != nil {
			_ = l.server.CloseWrite() // the server sees what the client did
			return
		}
		l.proxy.waitWhileStalled()
		if m.code() == cancelRequest && l.proxy.isDeaf() {
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

// pass sends a message on, and does what is due. It returns false when it has
// ended the connection.
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
	l.lose(due) // before it is sent, because the server may be quick
	if !l.send(m.raw) {
		return false
	}
	if due.when == afterAnswer {
		return true
	}
	l.abandon(due)
	return false
}

// send passes bytes on as far as they may, and cuts the connection if they may
// not all.
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

// abandon makes a plan come true that leaves the server what it has got.
func (l *link) abandon(due *plan) {
	l.close()
	due.happened()
}

// close resets the client's connection. The server's is closed in order, because
// a reset may take away what the server has not read yet.
func (l *link) close() {
	reset(l.client)
	_ = l.server.CloseWrite()
}

// lose makes the server's next answer one that the client does not get.
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

// down carries the server's bytes to the client. When the client has gone, it
// still reads them, so that the server can end in its own time.
func (l *link) down() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := l.server.Read(buffer)
		l.answer(buffer[:n])
		if errors.Is(err, io.EOF) {
			_ = l.client.CloseWrite() // the client sees what the server did
			return
		}
		if err != nil {
			reset(l.client)
			return
		}
	}
}

// answer hands the server's bytes to the client, unless they are to be lost. An
// answer is whole when the server is ready for the next query.
func (l *link) answer(b []byte) {
	lost := l.lost()
	if lost == nil {
		l.proxy.waitWhileStalled()
		_, _ = l.client.Write(b) // whether the client has gone is for up to see
		return
	}
	const ready = "Z\x00\x00\x00\x05"
	if lost.when == afterAnswer && len(b) > len(ready) && bytes.HasPrefix(b[len(b)-len(ready)-1:], []byte(ready)) {
		l.lose(nil)
		l.abandon(lost)
	}
}
