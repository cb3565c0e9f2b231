// Package tunnel is an HTTP proxy that leads to one host only, for clients that have that
// host compiled in. It opens no connection: the server that stands in for the host
// accepts those of the proxy's clients.
package tunnel

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// maxTunnels is how many tunnels are open at the same time.
	maxTunnels = 256
	// answerTimeout is how long it may take to send the response to a CONNECT request.
	answerTimeout = 10 * time.Second
	// maxLogged is how many bytes of a refused host are logged.
	maxLogged = 200
)

// Proxy is the handler of the proxy's requests, and the listener whose connections are its
// tunnels. A CONNECT request for the target turns its connection into a tunnel. So the
// time limits of the server apply to tunnels, the server sees how a client closes its
// connection, and what the server does to a connection reaches the client.
type Proxy struct {
	target string
	addr   net.Addr
	log    *slog.Logger
	conns  chan net.Conn
	slots  chan struct{} // one for each open tunnel
	closed chan struct{}
	close  func()
}

// New returns a proxy for a target, such as "api.bigcommerce.com:443". addr is the address
// that Addr returns.
func New(target string, addr net.Addr, log *slog.Logger) *Proxy {
	p := &Proxy{
		target: target, addr: addr, log: log,
		conns: make(chan net.Conn), slots: make(chan struct{}, maxTunnels), closed: make(chan struct{}),
	}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

// Accept implements net.Listener. It returns the next tunnel.
func (p *Proxy) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Requests get 503 from then on; open tunnels stay.
func (p *Proxy) Close() error {
	p.close()
	return nil
}

// Addr implements net.Listener.
func (p *Proxy) Addr() net.Addr { return p.addr }

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodConnect:
		w.Header().Set("Allow", http.MethodConnect)
		p.refuse(w, r, http.StatusMethodNotAllowed, "This proxy has the method CONNECT only, for https://. Set HTTPS_PROXY, and not HTTP_PROXY.")
	case !strings.EqualFold(r.RequestURI, p.target): // r.Host may be the Host header
		p.refuse(w, r, http.StatusForbidden, fmt.Sprintf("This proxy leads to %s only. NO_PROXY names the hosts for which a client uses no proxy.", p.target))
	case !p.acquire():
		p.refuse(w, r, http.StatusServiceUnavailable, fmt.Sprintf("This proxy has %d tunnels already.", maxTunnels))
	default:
		p.open(w, r)
	}
}

func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	p.log.Warn("the proxy refused a request", "method", r.Method, "host", r.Host[:min(len(r.Host), maxLogged)], "status", status)
	http.Error(w, text, status)
}

// acquire takes a slot, which release gives back.
func (p *Proxy) acquire() bool {
	select {
	case p.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p *Proxy) release() { <-p.slots }

// open turns the connection of a request into a tunnel. It holds a slot.
func (p *Proxy) open(w http.ResponseWriter, r *http.Request) {
	select {
	case <-p.closed:
		p.release()
		p.refuse(w, r, http.StatusServiceUnavailable, "The server is about to stop.")
		return
	default:
	}
	raw, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2, which the proxy does not have
		p.release()
		p.refuse(w, r, http.StatusHTTPVersionNotSupported, "This proxy has HTTP/1.1 only.")
		return
	}
	early, _ := buffered.Peek(buffered.Reader.Buffered()) // what is in the buffer can be read
	c := &conn{Conn: raw, early: bytes.NewReader(bytes.Clone(early)), release: sync.OnceFunc(p.release)}
	if err := answer(raw); err != nil {
		_ = c.Close() // the client has gone
		return
	}
	select {
	case p.conns <- c:
	case <-p.closed:
		_ = c.Close()
	}
}

// answer sends the response to a CONNECT request.
func answer(c net.Conn) error {
	if err := c.SetWriteDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return err
	}
	return c.SetWriteDeadline(time.Time{})
}

// conn is a tunnel.
type conn struct {
	net.Conn
	early   *bytes.Reader // what the client sent before it had the response
	release func()
}

func (c *conn) Read(b []byte) (int, error) {
	if c.early.Len() > 0 {
		return c.early.Read(b)
	}
	return c.Conn.Read(b)
}

// CloseWrite closes the sending side, as that of a net.TCPConn.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return http.ErrNotSupported
	}
	return half.CloseWrite()
}

// SetLinger sets what Close does to data that is not sent yet, as that of a net.TCPConn.
func (c *conn) SetLinger(seconds int) error {
	tcp, ok := c.Conn.(interface{ SetLinger(int) error })
	if !ok {
		return http.ErrNotSupported
	}
	return tcp.SetLinger(seconds)
}

// Close closes the tunnel. Another one can take its place.
func (c *conn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
