package txn_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// latePath is a proxy that delays one message. The sender loses the connection and
// reads the receipt on another connection before the server receives the message.
// The same happens behind a proxy that is stuck, and on an overloaded server.
type latePath struct {
	server   *pgtest.Server
	listener net.Listener
	links    sync.WaitGroup
	sent     atomic.Int64 // bytes to the server

	mu   sync.Mutex
	late *lateMessage // nil if no message is delayed
}

type lateMessage struct {
	text     []byte        // that the message contains
	lost     chan struct{} // closed when the sender has lost the connection
	goOn     chan struct{} // closed when the message may be delivered
	finished chan struct{} // closed when the server has processed it
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
		p.links.Wait() // the database that uses it is closed already
	})
	return p
}

// url returns the URL of a database of the server with the address of the proxy.
func (p *latePath) url(t *testing.T, direct string) string {
	t.Helper()
	return changedURL(t, direct, func(u *url.URL) { u.Host = p.listener.Addr().String() })
}

// delay delays the next message that contains a text.
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
		p.links.Go(func() { p.forward(client, server.(*net.TCPConn)) })
	}
}

func (p *latePath) forward(client net.Conn, server *net.TCPConn) {
	defer client.Close()
	defer server.Close()
	var down sync.WaitGroup
	down.Go(func() { copyResponses(client, server) })
	buffer := make([]byte, 64<<10) // larger than any message of the tests
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
	_ = server.CloseWrite() // the server processes what it has received, and then closes
	down.Wait()
}

// copyResponses copies the server's bytes to the client. When the client is gone, it
// discards them.
func copyResponses(client, server net.Conn) {
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

// A transaction that is sent in one message begins when the message arrives. If its
// sender has read the receipt before and found that nothing was committed, the
// transaction must fail when it arrives.
func testMessageAfterReceipt(t *testing.T, s *pgtest.Server) {
	path, url := newLatePath(t, s), newDatabase(t, s)
	d := dbtest.Open(t, path.url(t, url))
	addStores(t, d, "a")
	update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", "first") }) // prepares the statements
	for _, name := range []string{"second", "third"} {
		late := path.delay(name)
		update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", name) })
		<-late.lost // otherwise the test has delayed nothing
		close(late.goOn)
		<-late.finished
	}
	wantEqual(t, "the groups", []string{"first", "second", "third"}, groupNames(t, d, "a"))
}

// A transaction of several messages has begun when its last message is delayed. The
// query for the receipt waits until the transaction has ended.
func testCommitAfterReceipt(t *testing.T, s *pgtest.Server) {
	path, url := newLatePath(t, s), newDatabase(t, s)
	d := dbtest.Open(t, path.url(t, url))
	addStores(t, d, "a")
	addCustomers(t, d, "a", newCustomer(1, 0))
	addNote := func(note string) func(*db.Tx) error {
		return func(tx *db.Tx) error {
			return changeCustomer(tx, "a", 1, func(c *cohort.Customer) { c.Notes += note })
		}
	}
	update(t, d, addNote("first"))
	late := path.delay("second")
	go func() {
		<-late.lost
		close(late.goOn)
	}()
	update(t, d, addNote("second"))
	<-late.finished
	for _, c := range listCustomers(t, d, "a", allCustomers) {
		wantEqual(t, "the notes", "firstsecond", c.Notes)
	}
}
