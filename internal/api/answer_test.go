package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"cohort.example/cohort/internal/api"
)

// TestReadBodyRoom: a body gets room for itself at once when the client says
// how long it is, but no more than a little for what is only announced.
func TestReadBodyRoom(t *testing.T) {
	const little, much = 64<<10 + 512, 1 << 20
	for _, c := range []struct {
		name      string
		announced int64
		sent      int
		most      int // bytes of memory
	}{
		{"common", 351, 351, 351 + 512},
		{"not announced", -1, 100, 4096},
		{"much announced, little sent", much, 10, little},
		{"beyond the limit announced", 1 << 40, 10, little},
		{"large", 300_000, 300_000, 4 * 300_000},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		r.ContentLength, r.Body = c.announced, io.NopCloser(strings.NewReader(strings.Repeat("x", c.sent)))
		body, err := api.ReadBody(httptest.NewRecorder(), &api.Request{Request: r})
		if err != nil || len(body) != c.sent || strings.Trim(string(body), "x") != "" {
			t.Errorf("%s: %d bytes, error %v, want %d", c.name, len(body), err, c.sent)
		}
		if cap(body) > c.most {
			t.Errorf("%s: it takes %d bytes of memory, want %d at most", c.name, cap(body), c.most)
		}
	}
}

// TestTextLeavesBody: a short text that is kept does not keep the long body
// that it came in.
func TestTextLeavesBody(t *testing.T) {
	const bodies, size = 32, 1 << 20
	var kept []string
	before := liveBytes()
	for range bodies {
		o, err := api.ParseObject([]byte(`{"name":"x"` + strings.Repeat(" ", size) + `}`))
		if err != nil {
			t.Fatal(err)
		}
		name, _ := o[0].Value.Text()
		kept = append(kept, name)
	}
	if grown := liveBytes() - before; grown > bodies*size/2 {
		t.Errorf("%d texts of one letter keep %d bytes in memory", bodies, grown)
	}
	runtime.KeepAlive(kept)
}

func liveBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
