package server_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/testenv"
)

// socketTimeout bounds how long a test waits on a connection. It is shorter than
// server.bodyTimeout.
const socketTimeout = 20 * time.Second

// socket is a fixture on a listener, set up like "cohort serve".
type socket struct {
	*fixture
	*httptest.Server
}

func serveSocket(t *testing.T, d *db.DB, o server.Options, secure bool) *socket {
	t.Helper()
	f := newFixture(t, d, o)
	s := httptest.NewUnstartedServer(f)
	s.Listener = server.Listen(s.Listener)
	s.Config.ConnContext = server.ConnContext
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return &socket{f, s}
}

// dial connects to the server, with TLS if the server uses it.
func (s *socket) dial(t *testing.T) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if s.TLS != nil {
		conn = tls.Client(conn, &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(socketTimeout)); err != nil {
		t.Fatal(err)
	}
	return &wire{fixture: s.fixture, Conn: conn, responses: bufio.NewReader(conn)}
}

// whole returns a request with its whole body.
func (w *wire) whole(method, path, body string, header ...string) string {
	return w.request(method, path, w.vars["token"], body, len(body), header...)
}

// closeWrite closes the sending side.
func (w *wire) closeWrite(t *testing.T) {
	t.Helper()
	if err := w.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// wantEnd fails unless the server closes the connection without sending more.
func (w *wire) wantEnd(t *testing.T) {
	t.Helper()
	if rest, err := io.ReadAll(w.responses); err != nil || len(rest) > 0 {
		t.Errorf("after the response: %q (%v), want EOF", rest, err)
	}
}

// A client that closes its sending side after its request gets the response.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	type counts struct{ groups, customers, gets int }
	for secure, n := range map[bool]counts{
		false: testenv.Times(counts{100, 10, 100}, counts{10, 1, 10}),
		true:  testenv.Times(counts{20, 10, 20}, counts{2, 1, 2}), // each request has a TLS handshake
	} {
		t.Run(fmt.Sprintf("tls=%t", secure), func(t *testing.T) {
			dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
				groups, customers, gets := n.groups, n.customers, n.gets
				s := serveSocket(t, d, server.Options{}, secure)
				do := func(method, request string) string {
					w := s.dial(t)
					defer w.Close()
					w.send(t, request)
					w.closeWrite(t)
					_, body := w.read(t, method, 200)
					w.wantEnd(t)
					return body
				}
				some := s.dial(t)
				for i := range groups {
					do("POST", some.whole("POST", "/customer_groups", fmt.Sprintf(`{"name":"Group %d"}`, i)))
				}
				for i := range customers {
					do("POST", some.whole("POST", "/customers", fmt.Sprintf(
						`{"first_name":"A","last_name":"B","email":"c%d@example.org","_authentication":{"password":"secret-%d"}}`, i, i)))
				}
				for range gets {
					if got := do("GET", some.whole("GET", "/customer_groups/count", "")); got != fmt.Sprintf(`{"count":%d}`, groups) {
						t.Fatalf("count: %s", got)
					}
					do("GET", "GET /readyz HTTP/1.1\r\nHost: cohort.test\r\n\r\n")
				}
				if made := s.groups(t); made != int64(groups) {
					t.Errorf("%d groups, want %d", made, groups)
				}
				made, err := s.Service.CountCustomers(t.Context(), s.vars["store"], cohort.CustomerFilter{})
				if err != nil || made != int64(customers) {
					t.Errorf("%d customers (%v), want %d", made, err, customers)
				}
			})
		})
	}
}

// If a client pipelines requests and then closes its sending side, it gets all
// responses.
func TestHalfClosedPipeline(t *testing.T) {
	t.Parallel()
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := serveSocket(t, d, server.Options{}, false)
		w := s.dial(t)
		w.send(t, w.whole("POST", "/customer_groups", `{"name":"A"}`)+
			w.whole("POST", "/customer_groups", `{"name":"B"}`)+
			w.whole("GET", "/customer_groups/count", ""))
		w.closeWrite(t)
		w.read(t, "POST", 200)
		w.read(t, "POST", 200)
		if _, got := w.read(t, "GET", 200); got != `{"count":2}` {
			t.Errorf("the last response: %s", got)
		}
		w.wantEnd(t)
	})
}

// A request whose body is still arriving holds no concurrency slot, and is admitted
// once its body has arrived.
func TestSlowBodiesHoldNoSlot(t *testing.T) {
	t.Parallel()
	slow := testenv.Times(40, 4)
	group, records := `{"name":"Slow"}`, `[{"variant_id":1,"currency":"usd","price":1}]`
	for _, c := range []struct{ name, method, path, body string }{
		{"creates", "POST", "/v2/customer_groups", group},
		{"bulk upserts", "PUT", "/v3/pricelists/1/records", records},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
				s := serveSocket(t, d, server.Options{}, false)
				s.concurrency(t, 1)
				s.listCatalog(t, d, "store")
				token := s.Token(t, s.vars["store"], cohort.Scopes()...)
				target := "/stores/" + s.vars["store"] + c.path
				checks := make(chan limit.Decision, slow)
				s.Handler.(*server.Server).NotifyChecks(checks)
				begun := make([]*wire, slow)
				body := func(i int) string { return strings.Replace(c.body, "Slow", fmt.Sprint("Slow ", i), 1) }
				for i := range begun {
					w := s.dial(t)
					w.send(t, onWire(c.method, target, token, "", len(body(i)), "Expect: 100-continue"))
					w.read(t, c.method, http.StatusContinue) // the server reads the body now
					begun[i] = w
				}
				for range slow {
					<-checks // a later check would find the slot of the next request and reject this one
				}
				s.mustDo(t, 200, c.method, target, token, c.body)
				for i, w := range begun {
					w.send(t, body(i))
					w.read(t, c.method, 200)
				}
			})
		})
	}
}
