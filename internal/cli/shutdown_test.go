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

// underWay is a request whose handler waits for the rest of its body.
type underWay struct {
	conn   net.Conn
	answer *bufio.Reader
}

// begin sends the first half of a request to create a group, and returns when
// its handler is reading the body: the server says "100 Continue" no earlier,
// so nothing has to be guessed. The other half is to be as long as half.
func begin(t *testing.T, s *serving, store, token, half string) *underWay {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	u := &underWay{conn, bufio.NewReader(conn)}
	fmt.Fprintf(conn, "POST /stores/%s/v2/customer_groups HTTP/1.1\r\nHost: cohort\r\nX-Auth-Token: %s\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", store, token, 2*len(half))
	status, err := u.answer.ReadString('\n')
	if err != nil || status != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("it did not wait for the body: %q, %v", status, err)
	}
	if _, err := u.answer.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	u.send(t, half)
	return u
}

func (u *underWay) send(t *testing.T, part string) {
	t.Helper()
	if _, err := io.WriteString(u.conn, part); err != nil {
		t.Fatal(err)
	}
}

// response waits for the answer.
func (u *underWay) response() (*http.Response, error) { return http.ReadResponse(u.answer, nil) }

// awaitRefusal returns when the address takes no more connections.
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

// A deployment sends SIGTERM while clients are at work: what is under way is
// done and answered, what comes after is refused and can go elsewhere, and the
// database is left as one closed file.
func TestServeFinishesWhatIsUnderWay(t *testing.T) {
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
		t.Fatalf("it ended with a request under way:\n%s", s.err)
	default:
	}
	u.send(t, `"Last" }`)
	res, err := u.response()
	if err != nil {
		t.Fatalf("the request under way: %v", err)
	}
	if a := read(t, res); a.status != 200 || !strings.HasPrefix(a.body, `{"id":1,"name":"Last",`) {
		t.Errorf("the request under way: %d %s", a.status, a.body)
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

// A client that never finishes must not keep the process from ending.
func TestServeCutsOffAfterTheShutdownTimeout(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
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
			t.Errorf("half a request was answered: %s", res.Status)
			res.Body.Close()
		}

		// Half a request has changed nothing.
		s = serve(t, "--db", db)
		if a := s.get(t, "/stores/abc/v2/customer_groups/count", token); a.body != `{"count":0}` {
			t.Errorf("after half a request there is %d %s", a.status, a.body)
		}
	})
}

// A connection on which nothing has come is no request under way. The second
// request's answer shows that the first connection has been accepted.
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
