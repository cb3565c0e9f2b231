package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// halfRequest is a request whose handler waits for the rest of its body.
type halfRequest struct {
	conn   net.Conn
	answer *bufio.Reader
}

// begin sends the first half of a request to create a group, and returns when its handler
// reads the body, which is when the server sends "100 Continue". The other half must be as
// long as half.
func begin(t *testing.T, s *serving, store, token, half string) *halfRequest {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	u := &halfRequest{conn, bufio.NewReader(conn)}
	fmt.Fprintf(conn, "POST /stores/%s/v2/customer_groups HTTP/1.1\r\nHost: cohort\r\nX-Auth-Token: %s\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", store, token, 2*len(half))
	status, err := u.answer.ReadString('\n')
	if err != nil || status != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("the server did not ask for the body: %q, %v", status, err)
	}
	if _, err := u.answer.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	u.send(t, half)
	return u
}

func (u *halfRequest) send(t *testing.T, part string) {
	t.Helper()
	if _, err := io.WriteString(u.conn, part); err != nil {
		t.Fatal(err)
	}
}

// response waits for the response.
func (u *halfRequest) response() (*http.Response, error) { return http.ReadResponse(u.answer, nil) }

// awaitRefusal waits until the address accepts no connections.
func awaitRefusal(url string) {
	addr := strings.TrimPrefix(url, "http://")
	for {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		conn.Close()
	}
}

// After SIGTERM, the server finishes running requests, rejects new ones, and leaves the
// database as one closed file.
func TestServeFinishesRunningRequests(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", db)
	token := newToken(t, db, "abc")
	s := serve(t, "--db", db, "--shutdown-timeout", "1h")
	u := begin(t, s, "abc", token, `{"name":`)

	s.signal()
	awaitRefusal(s.url)
	select {
	case <-s.ended:
		t.Fatalf("the server ended while a request was running:\n%s", s.err)
	default:
	}
	u.send(t, `"Last" }`)
	res, err := u.response()
	if err != nil {
		t.Fatalf("the running request: %v", err)
	}
	if a := read(t, res); a.status != 200 || !strings.HasPrefix(a.body, `{"id":1,"name":"Last",`) {
		t.Errorf("the running request: %d %s", a.status, a.body)
	}
	if status := s.wait(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, s.err)
	}
	for _, file := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(strings.TrimPrefix(db, "sqlite:") + file); !os.IsNotExist(err) {
			t.Errorf("the database was not closed: there is a %s file (%v)", file, err)
		}
	}

	s = serve(t, "--db", db)
	if a := s.get(t, "/stores/abc/v2/customer_groups/1", token); a.status != 200 {
		t.Errorf("the group that was acknowledged last is %d %s", a.status, a.body)
	}
}

// A client that never finishes its request must not keep the process alive.
func TestServeCutsOffAfterTheShutdownTimeout(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		token := newToken(t, db, "abc")
		s := start(t, "--addr", "127.0.0.1:0", "--db", db, "--shutdown-timeout", "1ms")
		s.url = s.err.await(t, servingLine, s.ended)
		u := begin(t, s, "abc", token, `{"name":`)
		if status := s.stop(); status != 1 {
			t.Errorf("exit status %d, want 1", status)
		}
		if line := "cohort: Requests were still running after 1ms and were cut off.\n"; !strings.HasSuffix(s.err.String(), line) {
			t.Errorf("the last line is not %s:\n%s", line, s.err)
		}
		if res, err := u.response(); err == nil {
			t.Errorf("the incomplete request got a response: %s", res.Status)
			res.Body.Close()
		}

		// An incomplete request changes nothing.
		s = serve(t, "--db", db)
		if a := s.get(t, "/stores/abc/v2/customer_groups/count", token); a.body != `{"count":0}` {
			t.Errorf("after half a request there is %d %s", a.status, a.body)
		}
	})
}

// Shutdown does not wait for a connection that has sent nothing. The response to the
// second request shows that the server has accepted the first connection.
func TestShutdownDoesNotWaitForSilentConnections(t *testing.T) {
	t.Parallel()
	s := serve(t, "--dev", "--db", newDB(t), "--shutdown-timeout", "2s")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if a := s.get(t, "/livez", ""); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if status := s.stop(); status != 0 {
		t.Errorf("exit status %d: %s", status, s.err)
	}
}
