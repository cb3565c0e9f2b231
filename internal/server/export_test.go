package server

import "cohort.example/cohort/internal/limit"

// NotifyChecks sends each decision of a Check of the limits to the channel. The
// server checks the limits while a slow body arrives.
func (s *Server) NotifyChecks(checks chan<- limit.Decision) {
	s.limits = &notifyingLimiter{s.limits, checks}
}

type notifyingLimiter struct {
	limit.Limiter
	checks chan<- limit.Decision
}

func (l *notifyingLimiter) Check(r limit.Request) limit.Decision {
	d := l.Limiter.Check(r)
	l.checks <- d
	return d
}
