package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// deadlineRecorder is a connection that keeps the deadlines for reading.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (d *deadlineRecorder) SetReadDeadline(t time.Time) error {
	d.deadlines = append(d.deadlines, t)
	return nil
}

// After the end of a body, no deadline for reading stays: net/http waits for the client to
// leave, and would take it for gone.
func TestNoDeadlineAfterTheBody(t *testing.T) {
	svc := service.New(dbtest.SQLite(t))
	for name, read := range map[string]int64{"all of the body": 1 << 20, "a part of it": 3, "nothing": 0} {
		api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, read))
			w.WriteHeader(http.StatusNoContent)
		})
		w := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/_cohort/v1/stores", strings.NewReader("{ } "))
		New(svc, Options{Control: api}).ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			t.Errorf("%s: %d", name, w.Code)
		}
		if n := len(w.deadlines); n > 0 && !w.deadlines[n-1].IsZero() {
			t.Errorf("%s was read, and a deadline stays: %v", name, w.deadlines)
		}
		if read > 10 && len(w.deadlines) > 0 {
			t.Errorf("%s was read, and deadlines were set: %v", name, w.deadlines)
		}
	}
}
