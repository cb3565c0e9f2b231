package server

import (
	"context"
	"log/slog"
	"net/http"

	"cohort.example/cohort/internal/limit"
)

// refuseToken answers for a token that nobody has: 401, and 429 when too many came
// from the same address. A token that somebody has is looked up before and is never
// refused for its neighbours. The log names the address once, and then nothing
// before the minute is over.
func (s *Server) refuseToken(w http.ResponseWriter, e *entry) {
	f := s.failures.Count(e.client)
	if !f.Refused {
		refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	e.flood = true
	s.metrics.refused.WithLabelValues(limit.FailedTokens).Inc()
	if f.First {
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "an address sends many tokens that nobody has; more of them are refused for a while and not logged one by one",
			slog.String("client", e.client.String()))
	}
	refuseTooMany(w, f.RetryAfter)
}
