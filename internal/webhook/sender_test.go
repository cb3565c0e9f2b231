package webhook_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/webhook"
)

var _ service.HookSender = (*webhook.Sender)(nil)

// soon is the timeout of attempts that are to run into it.
const soon = 100 * time.Millisecond

func attempt(destination string) service.HookAttempt {
	return service.HookAttempt{
		ID: "msg_1", Timestamp: time.Unix(1700000000, 5), Destination: destination, Body: []byte(`{"scope":"store/customer/created"}`),
	}
}

func send(t *testing.T, destination string) service.HookAnswer {
	t.Helper()
	return webhook.New(webhook.Options{Dev: true}).Send(t.Context(), attempt(destination))
}

func receiver(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// A hook cannot set the headers of the connection, nor those that Cohort sets.
func TestRequest(t *testing.T) {
	var got http.Header
	var body []byte
	srv := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.URL.RequestURI() != "/hook?a=b" {
			t.Errorf("request %s %s", r.Method, r.URL)
		}
		got = r.Header
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "thanks\x00\xff")
	})
	a := attempt(srv.URL + "/hook?a=b")
	a.Headers = map[string]string{
		"authorization": "Bearer hush", "X-Api-Key": "hush", "cookie": "hush", "X-Tenant": "7", "content-type": "text/plain", "webhook-id": "forged",
		"Host": "other.example", "Connection": "close", "Webhook-Signature": "v1,forged",
	}
	a.Secrets = []string{"a secret", "", "an older secret"}
	answer := webhook.New(webhook.Options{Dev: true}).Send(t.Context(), a)
	want := service.HookAnswer{
		Status: 202, Response: "thanks??",
		Request: map[string]string{
			"Authorization": "(hidden)", "X-Api-Key": "(hidden)", "Cookie": "(hidden)", "X-Tenant": "7", "Content-Type": "application/json",
			"User-Agent": "cohort", "Webhook-Id": "msg_1", "Webhook-Timestamp": "1700000000",
		},
	}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if string(body) != string(a.Body) {
		t.Errorf("body %s", body)
	}
	wantHeader := http.Header{
		"Authorization": {"Bearer hush"}, "X-Api-Key": {"hush"}, "Cookie": {"hush"}, "X-Tenant": {"7"}, "Content-Type": {"application/json"},
		"User-Agent": {"cohort"}, "Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1700000000"}, "Content-Length": {"34"},
		// openssl dgst -sha256 -hmac SECRET -binary | base64
		"Webhook-Signature": {"v1,ma1ssyckcZI9z+jRrRePivcmJdf2TxFqFA2RPz2SGZA= v1,1KUnRylcrsqLMoU3BHofD1Pl6icpJw+EsQ6tv6nVs4k="},
	}
	if diff := cmp.Diff(wantHeader, got); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

func TestNoSecret(t *testing.T) {
	var got http.Header
	srv := receiver(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	if answer := send(t, srv.URL); answer.Err != nil || answer.Status != 200 {
		t.Fatalf("answer %+v", answer)
	}
	if _, ok := got["Webhook-Signature"]; ok {
		t.Errorf("a signature without a secret: %v", got)
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		status int
		want   string // the error
	}{
		{200, ""}, {204, ""}, {299, ""},
		{300, "the response has status 300"}, {304, "the response has status 304"}, {400, "the response has status 400"}, {500, "the response has status 500"},
	} {
		srv := receiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(test.status) })
		answer := send(t, srv.URL)
		if answer.Status != test.status || message(answer.Err) != test.want {
			t.Errorf("status %d: %+v", test.status, answer)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Int64
	other := receiver(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	for _, status := range []int{301, 302, 307, 308} {
		srv := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		if answer := send(t, srv.URL); answer.Status != status || answer.Err == nil {
			t.Errorf("redirect %d: %+v", status, answer)
		}
	}
	if followed.Load() != 0 {
		t.Errorf("%d redirects were followed", followed.Load())
	}
}

func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	srv := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server then notices that the client has gone
		<-r.Context().Done()
	})
	answer := webhook.New(webhook.Options{Dev: true, Timeout: soon}).Send(t.Context(), attempt(srv.URL))
	if answer.Status != 0 || message(answer.Err) != "the destination did not respond in time" {
		t.Errorf("answer %+v", answer)
	}
}

// A body that never ends does not turn a 200 into a failure, and holds the sender only until
// its timeout.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	srv := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "wait")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	answer := webhook.New(webhook.Options{Dev: true, Timeout: soon}).Send(t.Context(), attempt(srv.URL))
	if answer.Status != 200 || answer.Err != nil || answer.Response != "wait" {
		t.Errorf("answer %+v", answer)
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	answer := webhook.New(webhook.Options{Dev: true}).Send(ctx, attempt(srv.URL))
	if !errors.Is(answer.Err, context.Canceled) {
		t.Errorf("answer %+v", answer)
	}
}

// endless writes a body until the client goes, and returns how much it wrote.
func endless(w http.ResponseWriter) (total int64) {
	part := []byte(strings.Repeat("x", 32<<10))
	for {
		n, err := w.Write(part)
		total += int64(n)
		if err != nil {
			return total
		}
	}
}

func TestEndlessBody(t *testing.T) {
	wrote := make(chan int64, 1)
	srv := receiver(t, func(w http.ResponseWriter, _ *http.Request) { wrote <- endless(w) })
	answer := send(t, srv.URL)
	if answer.Status != 200 || answer.Err != nil || answer.Response != strings.Repeat("x", 1<<10) {
		t.Errorf("answer %+v", answer)
	}
	// The buffers of the sockets take some of it.
	if n := <-wrote; n > 64<<20 {
		t.Errorf("the receiver could write %d bytes", n)
	}
}

func TestLongBody(t *testing.T) {
	srv := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10485760")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, strings.Repeat("é", 5<<20))
	})
	answer := send(t, srv.URL)
	if answer.Status != 500 || answer.Err == nil || answer.Response != strings.Repeat("é", 1<<9) {
		t.Errorf("answer %+v", answer)
	}
}

// rawReceiver answers each connection with a function, and returns its URL.
func rawReceiver(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// repeat writes a text until the client goes.
func repeat(c net.Conn, text string) {
	part := []byte(strings.Repeat(text, 1+(8<<10)/len(text)))
	for {
		if _, err := c.Write(part); err != nil {
			return
		}
	}
}

func TestHostileConnections(t *testing.T) {
	read := func(c net.Conn) { _, _ = c.Read(make([]byte, 4<<10)) }
	tests := []struct {
		name    string
		serve   func(c net.Conn)
		want    string // part of the error
		timeout time.Duration
	}{
		{"closes at once", func(net.Conn) {}, "the ", 0},
		{"closes after the request", read, "cannot be reached: EOF", 0},
		{"never answers", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "did not respond in time", soon},
		{"garbage", func(c net.Conn) { read(c); _, _ = io.WriteString(c, "\x00\xffgarbage\r\n\r\n") }, "malformed HTTP response", 0},
		{"a line without end", func(c net.Conn) { read(c); repeat(c, "x") }, "headers exceeded", 0},
		{"another protocol", func(c net.Conn) { read(c); _, _ = io.WriteString(c, "220 mail.example ESMTP\r\n") }, "malformed HTTP", 0},
		{"half a header", func(c net.Conn) { read(c); _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-") }, "malformed MIME header", 0},
		{"endless header", func(c net.Conn) {
			read(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			repeat(c, "X-More: more\r\n")
		}, "headers exceeded", 0},
		{"endless 1xx", func(c net.Conn) { read(c); repeat(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") }, "headers exceeded", 0},
		{"other protocols", func(c net.Conn) {
			read(c)
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}, "the response has status 101", soon},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sender := webhook.New(webhook.Options{Dev: true, Timeout: test.timeout})
			answer := sender.Send(t.Context(), attempt(rawReceiver(t, test.serve)))
			if !strings.Contains(message(answer.Err), test.want) || len(message(answer.Err)) > 400 {
				t.Errorf("answer %+v, want an error with %q", answer, test.want)
			}
			if strings.Contains(message(answer.Err), "127.0.0.1") {
				t.Errorf("the error has an address: %v", answer.Err)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	answer := send(t, "http://"+l.Addr().String()+"/?token=hush")
	if want := "the connection to the destination failed: connect: connection refused"; message(answer.Err) != want {
		t.Errorf("error %v, want %s", answer.Err, want)
	}
}

// tlsReceiver returns a receiver with HTTP/2, and the pool of its certificate.
func tlsReceiver(t *testing.T, h http.HandlerFunc) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = quiet
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return srv, pool
}

func TestHTTP2(t *testing.T) {
	wrote := make(chan int64, 1)
	srv, pool := tlsReceiver(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("protocol %s", r.Proto)
		}
		switch r.URL.Path {
		case "/endless":
			wrote <- endless(w)
		case "/1xx":
			// Once: net/http still reads the header of a hint when its client has left.
			w.Header().Set("Link", "</"+strings.Repeat("a", 100)+">")
			for range 10_000 {
				w.WriteHeader(http.StatusEarlyHints)
			}
		}
	})
	sender := webhook.New(webhook.Options{Dev: true, RootCAs: pool})
	if answer := sender.Send(t.Context(), attempt(srv.URL)); answer.Err != nil || answer.Status != 200 {
		t.Errorf("answer %+v", answer)
	}
	if answer := sender.Send(t.Context(), attempt(srv.URL+"/1xx")); answer.Err == nil {
		t.Errorf("10 000 early hints: %+v", answer)
	}
	if answer := sender.Send(t.Context(), attempt(srv.URL+"/endless")); answer.Err != nil || len(answer.Response) != 1<<10 {
		t.Errorf("endless body: %+v", answer)
	}
	if n := <-wrote; n > 1<<20 {
		t.Errorf("the receiver could write %d bytes", n)
	}
}

func TestCertificates(t *testing.T) {
	srv, pool := tlsReceiver(t, func(http.ResponseWriter, *http.Request) { t.Error("the message was sent") })
	answer := send(t, srv.URL)
	if want := "the certificate of the destination is not valid: x509: certificate signed by unknown authority"; message(answer.Err) != want {
		t.Errorf("error %v, want %s", answer.Err, want)
	}
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	answer = webhook.New(webhook.Options{Dev: true, RootCAs: pool}).Send(t.Context(), attempt("https://localhost:"+port))
	if want := "not localhost"; !strings.Contains(message(answer.Err), want) {
		t.Errorf("error %v, want %s", answer.Err, want)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	var opened atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10<<10))
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	sender := webhook.New(webhook.Options{Dev: true})
	for range 3 {
		if answer := sender.Send(t.Context(), attempt(srv.URL)); answer.Err != nil {
			t.Fatal(answer.Err)
		}
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections for 3 messages", opened.Load())
	}
}

// A receiver may close an idle connection just when the next message is sent. That is no
// failure of the receiver, so the message is sent again at once.
func TestIdleConnectionIsClosed(t *testing.T) {
	var connections atomic.Int64
	destination := rawReceiver(t, func(c net.Conn) {
		connections.Add(1)
		buffer := make([]byte, 4<<10)
		if _, err := c.Read(buffer); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_, _ = c.Read(buffer) // the next request, which it does not answer
	})
	sender := webhook.New(webhook.Options{Dev: true})
	for range 2 {
		if answer := sender.Send(t.Context(), attempt(destination)); answer.Err != nil {
			t.Fatal(answer.Err)
		}
	}
	if connections.Load() != 2 {
		t.Errorf("%d connections, want 2", connections.Load())
	}
}
