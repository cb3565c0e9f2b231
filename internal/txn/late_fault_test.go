package txn_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

// latePath is a way to a server on which one message takes so long that its
// sender has lost the connection, and asked on another one what became of it,
// before the server has it. So it goes behind a proxy that is stuck, and in a
// server whose process gets no time.
type latePath struct {
	server   *pgtest.Server
	listener net.Listener
	links    sync.WaitGroup
	sent     atomic.Int64 // bytes to the server

	mu   sync.Mutex
	late *lateMessage // nil if none is to be late
}

type lateMessage struct {
	text     []byte        // which it has in it
	lost     chan struct{} // closed when the sender has lost the connection
	goOn     chan struct{} // closed when it may arrive
	finished chan struct{} // closed when the server has carried it out
}

func newLatePath(t *testing.T, s *pgtest.Server) *latePath {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &latePath{server: s, listener: listener}
	p.links.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.links.Wait() // the database at its end is closed before
	})
	return p
}

func (p *latePath) url(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(p.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.listener.Addr().String()
	return u.String()
}

// delay makes the next message with a text in it late.
func (p *latePath) delay(text string) *lateMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = &lateMessage{[]byte(text), make(chan struct{}), make(chan struct{}), make(chan struct{})}
	return p.late
}

func (p *latePath) take(message []byte) *lateMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	late := p.late
	if late == nil || !bytes.Contains(message, late.text) {
		return nil
	}
	p.late = nil
	return late
}

func (p *latePath) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.server.Addr())
		if err != nil {
			client.Close()
			continue
		}
		p.links.Go(func() { p.carry(client, server.(*net.TCPConn)) })
	}
}

func (p *latePath) carry(client net.Conn, server *net.TCPConn) {
	defer client.Close()
	defer server.Close()
	var down sync.WaitGroup
	down.Go(func() { handOver(client, server) })
	buffer := make([]byte, 64<<10) // more than any message of the tests
	for {
		n, err := client.Read(buffer)
		if err != nil {
			break
		}
		p.sent.Add(int64(n))
		late := p.take(buffer[:n])
		if late != nil {
			client.Close()
			close(late.lost)
			<-late.goOn
			defer close(late.finished)
		}
		if _, err := server.Write(buffer[:n]); err != nil || late != nil {
			break
		}
	}
	_ = server.CloseWrite() // the server ends when it has done what it has got
	down.Wait()
}

// handOver carries the server's bytes to its client, and on to nowhere when that
// has left.
func handOver(client, server net.Conn) {
	defer client.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		_, _ = client.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

func wantEqual(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
