package server

import "cohort.example/cohort/internal/limit"

// Peeks has the server tell on the channel of each look at the limits for a body
// that is under way.
func (s *Server) Peeks(told chan<- limit.Decision) { s.limits = &peeks{s.limits, told} }

type peeks struct {
	limit.Limiter
	told chan<- limit.Decision
}

func (p *peeks) Peek(r limit.Request) limit.Decision {
	d := p.Limiter.Peek(r)
	p.told <- d
	return d
}
