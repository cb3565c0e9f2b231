package server

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort/internal/limit"
)

// A store that gets very many rejections gets further ones late, until the server is about
// to stop.
func TestManyRejectionsAreHeldBack(t *testing.T) {
	s, _ := newTestServer(t, false, echo)
	s.log = slog.New(slog.DiscardHandler)
	synctest.Test(t, func(t *testing.T) {
		s.patience, s.EndFaults = context.WithCancel(t.Context()) // a channel of the bubble
		_, done := s.limits.Admit(limit.Request{Store: "abc", Operation: "test", Concurrency: 1})
		defer done()
		rejected := func() (took time.Duration) {
			t.Helper()
			begun, w := time.Now(), httptest.NewRecorder()
			s.ServeHTTP(w, testRequest("x"))
			if w.Code != 429 {
				t.Errorf("got %d %s, want 429", w.Code, w.Body)
			}
			return time.Since(begun)
		}
		for i := range limit.FreeRejections {
			if took := rejected(); took != 0 {
				t.Errorf("rejection %d took %v", i, took)
			}
		}
		if took := rejected(); took != limit.RejectionDelay {
			t.Errorf("one more rejection took %v, want %v", took, limit.RejectionDelay)
		}
		s.EndFaults()
		if took := rejected(); took != 0 {
			t.Errorf("a rejection of a server that stops took %v", took)
		}
	})
}
