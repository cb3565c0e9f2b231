package tunnel_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/tunnel"
)

const target = "api.bigcommerce.com:443"

// fixture is a proxy that listens.
type fixture struct {
	*tunnel.Proxy
	addr string
	log  *bytes.Buffer // complete when the responses have come
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{log: &bytes.Buffer{}}
	srv := httptest.NewUnstartedServer(nil)
	f.Proxy = tunnel.New(target, srv.Listener.Addr(), slog.New(slog.NewTextHandler(f.log, nil)))
	srv.Config.Handler = f.Proxy
	srv.Start()
	t.Cleanup(srv.Close)
	f.addr = srv.Listener.Addr().String()
	return f
}

// client is a connection to the proxy.
type client struct {
	*net.TCPConn
	in *bufio.Reader
}

// request sends a request as it is and returns the response.
func (f *fixture) request(t *testing.T, text string) (*client, *http.Response) {
	t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect})
	if err != nil {
		t.Fatal(err)
	}
	return &client{c.(*net.TCPConn), in}, res
}

func connect(host string) string {
	return fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", host, host)
}

// open opens a tunnel and returns both ends.
func (f *fixture) open(t *testing.T, early string) (*client, net.Conn) {
	t.Helper()
	c, res := f.request(t, connect(target)+early)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the proxy answers %s", res.Status)
	}
	server, err := f.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return c, server
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Error(err)
	}
}

func wantRead(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// A tunnel carries bytes in both directions, and each side can close its own.
func TestTunnel(t *testing.T) {
	t.Parallel()
	for _, early := range []string{"", "sent with the request, "} {
		for _, clientFirst := range []bool{true, false} {
			f := start(t)
			c, s := f.open(t, early)
			write(t, c, "question")
			wantRead(t, s, early+"question")
			write(t, s, "answer")
			wantRead(t, c.in, "answer")

			half := s.(interface{ CloseWrite() error })
			if clientFirst {
				half = c
			}
			if err := half.CloseWrite(); err != nil {
				t.Error(err)
			}
			var closed io.Reader = c.in
			if clientFirst {
				closed = s
			}
			if n, err := closed.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("after the end: %d bytes, %v", n, err)
			}
			if clientFirst {
				write(t, s, "late answer")
				wantRead(t, c.in, "late answer")
			} else {
				write(t, c, "late question")
				wantRead(t, s, "late question")
			}
		}
	}
}

// The time limit of the proxy's response does not apply to the tunnel.
func TestTunnelAfterALongTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, server := net.Pipe()
		defer c.Close()
		p := tunnel.New(target, server.LocalAddr(), slog.New(slog.DiscardHandler))
		srv := &http.Server{Handler: p}
		defer srv.Close()
		go func() { _ = srv.Serve(&single{conn: server, done: make(chan struct{})}) }()
		write(t, c, connect(target))
		in := bufio.NewReader(c)
		if _, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect}); err != nil {
			t.Fatal(err)
		}
		s, err := p.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		time.Sleep(time.Hour)
		go write(t, s, "late")
		wantRead(t, in, "late")
	})
}

// single is a listener with one connection.
type single struct {
	conn net.Conn
	done chan struct{}
}

func (l *single) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *single) Close() error {
	close(l.done)
	return nil
}

func (l *single) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// A server can reset a tunnel, which the client sees.
func TestReset(t *testing.T) {
	t.Parallel()
	c, s := start(t).open(t, "")
	if err := s.(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if n, err := c.in.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v, want a reset", n, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		status int
		body   string
	}{
		connect("API.BigCommerce.com:443"):                                              {200, ""},
		connect("login.bigcommerce.com:443"):                                            {403, "leads to api.bigcommerce.com:443 only"},
		connect("api.bigcommerce.com:80"):                                               {403, "leads to"},
		connect("api.bigcommerce.com:8443"):                                             {403, "leads to"},
		connect("api.bigcommerce.com"):                                                  {403, "leads to"},
		connect("api.bigcommerce.com.:443"):                                             {403, "leads to"},
		connect("127.0.0.1:443"):                                                        {403, "leads to"},
		connect("[::1]:443"):                                                            {403, "leads to"},
		connect(strings.Repeat("x", 5000) + ".example:443"):                             {403, "leads to"},
		"CONNECT /path HTTP/1.1\r\nHost: " + target + "\r\n\r\n":                        {403, "leads to"},
		"CONNECT example.com:443 HTTP/1.1\r\nHost: " + target + "\r\n\r\n":              {403, "leads to"},
		"GET / HTTP/1.1\r\nHost: " + target + "\r\n\r\n":                                {405, "CONNECT only"},
		"GET http://api.bigcommerce.com/ HTTP/1.1\r\nHost: api.bigcommerce.com\r\n\r\n": {405, "CONNECT only"},
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}":                     {405, "CONNECT only"},
		"CONNECT " + target + "\r\n\r\n":                                                {400, ""},
		"CONNECT " + target + " HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                 {400, ""},
	} {
		f := start(t)
		_, res := f.request(t, text)
		if res.StatusCode != want.status {
			t.Errorf("%.100q: %s, want %d", text, res.Status, want.status)
		}
		if want.status == 200 {
			continue
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, res.ContentLength))
		if err != nil || !strings.Contains(string(body), want.body) {
			t.Errorf("%.100q: %q, %v, want %q", text, body, err, want.body)
		}
		if (res.Header.Get("Allow") == "CONNECT") != (want.status == 405) {
			t.Errorf("%.100q: Allow %q", text, res.Header.Get("Allow"))
		}
		if logged := f.log.Len(); (logged > 0) != (want.body != "") || logged > 500 {
			t.Errorf("%.100q: the log has %s", text, f.log)
		}
	}
}

// The number of tunnels is bounded, and a tunnel that ends makes room for another one.
func TestManyTunnels(t *testing.T) {
	t.Parallel()
	f := start(t)
	const most = 256
	var last net.Conn
	for range most {
		_, last = f.open(t, "")
	}
	_, res := f.request(t, connect(target))
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more than %d: %s", most, res.Status)
	}
	last.Close()
	last.Close() // gives back its place once
	f.open(t, "")
	if _, res = f.request(t, connect(target)); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after one tunnel has ended, two are opened: %s", res.Status)
	}
}

// Requests that are refused take no place.
func TestRefusedRequestsTakeNoPlace(t *testing.T) {
	t.Parallel()
	f := start(t)
	for range 300 {
		f.request(t, connect("example.com:443"))
	}
	f.open(t, "")
}

// Close ends what waits and leaves open tunnels alone.
func TestClose(t *testing.T) {
	t.Parallel()
	f := start(t)
	c, s := f.open(t, "")
	waiting, res := f.request(t, connect(target)) // nothing accepts it
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	f.Close()
	f.Close()
	if n, err := waiting.in.Read(make([]byte, 1)); err == nil {
		t.Errorf("a tunnel that nothing accepted has %d bytes", n)
	}
	if _, err := f.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, res := f.request(t, connect(target)); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a request after the end: %s", res.Status)
	}
	write(t, c, "question")
	wantRead(t, s, "question")
	if got := f.Addr().String(); got != f.addr {
		t.Errorf("the address is %s, want %s", got, f.addr)
	}
}

// HTTP/2 connections have no tunnels.
func TestWithoutHijack(t *testing.T) {
	t.Parallel()
	f := start(t)
	for range 300 { // more than there are places
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodConnect, "/", nil)
		r.RequestURI = target
		if f.ServeHTTP(w, r); w.Code != http.StatusHTTPVersionNotSupported {
			t.Fatalf("status %d", w.Code)
		}
	}
}
