package server

import (
	"context"
	"log/slog"
	"net/http"

	"cohort.example/cohort/internal/limit"
)

// rejectUnknownToken responds to an unknown token: 401, or 429 if the client
// address has sent too many. Valid tokens are looked up before and are never
// rejected because of other clients at the same address. The log has one warning
// per address and minute; further rejections are logged at debug level.
func (s *Server) rejectUnknownToken(w http.ResponseWriter, e *entry) {
	f := s.failures.Count(e.client)
	if !f.Rejected {
		writeStatusError(w, http.StatusUnauthorized, unauthorized)
		return
	}
	e.suppressed = true
	s.metrics.rejected.WithLabelValues(limit.FailedTokens).Inc()
	if f.First {
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "too many unknown tokens from one address; further requests with unknown tokens are rejected for a minute and not logged",
			slog.String("client", e.client.String()))
	}
	writeTooManyRequests(w, f.RetryAfter)
}
