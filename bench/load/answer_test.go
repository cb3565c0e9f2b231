package load

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		status       int
		body         string
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: now\r\n\r\nhello", 200, "hello"},
		{"no reason", "HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", 200, "hello"},
		{"empty", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, ""},
		{"no content", "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n", 204, ""},
		{"refusal", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}", 429, "{}"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n, it is me\r\n0\r\n\r\n", 200, "hello, it is me"},
		{"kept", "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", 200, ""},
		{"body like a header", "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nContent-Length: 7\r\n", 200, "Content-Length: 7\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var body bytes.Buffer
			a, end, err := parse([]byte(tt.answer+"HTTP/1.1 "), &body)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != tt.status || body.String() != tt.body || end != len(tt.answer) || a.size != len(tt.body) {
				t.Errorf("got %d %q with size %d, and the end at %d", a.status, &body, a.size, end)
			}
			for cut := range len(tt.answer) {
				if _, _, err := parse([]byte(tt.answer[:cut]), nil); !errors.Is(err, errMore) {
					t.Fatalf("%q: got %v", tt.answer[:cut], err)
				}
			}
		})
	}
}

func TestParseRefusesWhatItDoesNotUnderstand(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, answer := range map[string]string{
		"another protocol":         "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"no status":                "HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
		"a longer status":          "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
		"a status with a sign":     "HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n",
		"an interim answer":        "HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n",
		"no length":                ok + "\r\n",
		"a length that is none":    ok + "Content-Length: five\r\n\r\nhello",
		"a negative length":        ok + "Content-Length: -1\r\n\r\n",
		"two lengths":              ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"a length and chunks":      ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"an unknown encoding":      ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"a packed body":            ok + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
		"a connection that ends":   ok + "Connection: close\r\nContent-Length: 0\r\n\r\n",
		"a field without a colon":  ok + "Content-Length 5\r\n\r\n",
		"a bare line feed":         "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"204 with a body":          "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx",
		"a chunk without a size":   ok + "Transfer-Encoding: chunked\r\n\r\nhello\r\n",
		"a chunk that is longer":   ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
		"a chunk with extensions":  ok + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
		"a trailer":                ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
		"a line without an end":    strings.Repeat("x", 10_000),
		"a header without an end":  ok + strings.Repeat("x", 10_000),
		"something else than HTTP": "hello\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			a, end, err := parse([]byte(answer), nil)
			if err == nil || errors.Is(err, errMore) {
				t.Errorf("got %+v with the end at %d, error %v", a, end, err)
			}
		})
	}
}

// FuzzParse searches for responses that parse accepts and the standard library
// reads differently.
func FuzzParse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var body bytes.Buffer
		a, _, err := parse(b, &body)
		if err != nil {
			return
		}
		status, want, err := standardRead(b)
		if err != nil {
			return // the standard library is stricter in ways that do not matter here
		}
		if a.status != status {
			t.Errorf("status %d, want %d", a.status, status)
		}
		if diff := cmp.Diff(want, body.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func standardRead(b []byte) (status int, body string, err error) {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	content, err := io.ReadAll(r.Body)
	return r.StatusCode, string(content), err
}
