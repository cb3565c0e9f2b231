package api_test

import (
	"runtime"
	"strings"
	"testing"

	"cohort.example/cohort/internal/api"
)

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
