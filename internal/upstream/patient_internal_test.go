package upstream

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A request that comes too fast is sent again, with its body, after the time that the store
// says; but not for ever.
func TestPatient(t *testing.T) {
	t.Parallel()
	var rejections int
	var bodies []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(body))
		if rejections--; rejections >= 0 {
			w.Header().Set("X-Rate-Limit-Time-Reset-Ms", "1500")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(srv.Close)
	for _, tt := range []struct{ rejections, status, waits int }{{0, 200, 0}, {2, 200, 2}, {100, 429, maxRetries}} {
		rejections, bodies = tt.rejections, nil
		var waited []time.Duration
		client := Patient(http.DefaultClient, func(_ context.Context, d time.Duration) error {
			waited = append(waited, d)
			return nil
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status || len(waited) != tt.waits || len(bodies) != tt.waits+1 || bodies[len(bodies)-1] != "body" {
			t.Errorf("%+v: status %d, waited %v, bodies %q", tt, res.StatusCode, waited, bodies)
		}
		if len(waited) > 0 && waited[0] != 1500*time.Millisecond {
			t.Errorf("waited %v", waited)
		}
	}
}

func TestPauseIsBounded(t *testing.T) {
	for value, want := range map[string]time.Duration{"": time.Second, "x": time.Second, "-1": time.Second, "3": 3 * time.Second, "99999": maxWait, "9223372036854775807": maxWait} {
		h := http.Header{}
		h.Set("X-Retry-After", value)
		if got := pauseOf(h); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
