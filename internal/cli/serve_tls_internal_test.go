package cli

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/testca"
	"cohort.example/cohort/internal/tunnel"
)

// serveProxyPipe runs the proxy of --tls auto and its server on the clock of a synctest
// bubble, and returns a connection to the proxy.
func serveProxyPipe(t *testing.T) net.Conn {
	t.Helper()
	ca, _, err := testca.OpenOrCreate(t.TempDir(), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	front := &pipes{make(chan net.Conn), make(chan struct{})}
	tests := &testTLS{ca: ca, listener: front, proxy: tunnel.New("api.bigcommerce.com:443", front.Addr(), log)}
	srv := newHTTPServer(http.NotFoundHandler(), log)
	command := &serveCommand{testTLSFlags: testTLSFlags{TLS: "auto"}, ShutdownTimeout: time.Hour}
	ended := make(chan error, 1)
	main := &pipes{make(chan net.Conn), make(chan struct{})}
	go func() { ended <- command.serve(t.Context(), srv, func() {}, tests.prepare(srv, main, log)...) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil { // the context of the test has ended
			t.Error(err)
		}
	})
	client, server := net.Pipe()
	front.conns <- server
	return client
}

// A slow client must not keep a place of the proxy.
func TestSlowClientsOfTheProxyAreCutOff(t *testing.T) {
	const connect = "CONNECT api.bigcommerce.com:443 HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct {
		name, first string
		drips       bool
	}{
		{"sends nothing", "", false},
		{"stops in the header", connect, false},
		{"sends the header slowly", connect + "X-Slow: ", true},
		{"sends nothing through its tunnel", connect + "\r\n", false},
		{"stops in the first message of TLS", connect + "\r\n\x16\x03\x01\x02\x00\x01", false},
		{"sends the first message of TLS slowly", connect + "\r\n\x16\x03\x01\x02\x00\x01", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				conn := serveProxyPipe(t)
				defer send(conn, c.first, c.drips)()
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took != 10*time.Second {
					t.Errorf("the connection was closed after %v, want 10s", took)
				}
			})
		})
	}
}

// A client that does not read the response of the proxy is cut off too.
func TestProxyClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		conn := serveProxyPipe(t)
		if _, err := io.WriteString(conn, "CONNECT api.bigcommerce.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(answerBound)
		if _, err := bufio.NewReader(conn).ReadByte(); err == nil {
			t.Error("the connection is open")
		}
		if took := time.Since(begun); took != answerBound {
			t.Errorf("after %v", took)
		}
	})
}

// answerBound is a little more than the time that the proxy has for its response.
const answerBound = 10*time.Second + time.Nanosecond
