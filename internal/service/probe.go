package service

import (
	"context"
	"sync"
	"time"
)

// writeProbeLife is the lifetime of a probe's result. However often the probe is
// requested, it writes at most once in this time.
const writeProbeLife = time.Second

// writeProbeTimeout bounds a probe. A database that needs longer to write one row
// counts as failed.
const writeProbeTimeout = 5 * time.Second

// databaseProbe shares the answer of the database to one question among concurrent and subsequent calls.
type databaseProbe struct {
	ask func(context.Context) error
	now func() time.Time

	mu      sync.Mutex
	running chan struct{} // closed at the end of the running write; nil: none runs
	until   time.Time     // the expiry of err
	err     error
}

// Writable returns nil if the database can be written to. It writes a row of its own,
// or uses the result of a write less than writeProbeLife ago. It returns the error of
// that write, such as KindUnavailable.
func (s *Service) Writable(ctx context.Context) error { return s.probe.result(ctx) }

// FailedWrites returns the number of transactions since the start that failed because
// the database could not be written to.
func (s *Service) FailedWrites() int64 { return s.db.FailedWrites() }

func (p *databaseProbe) result(ctx context.Context) error {
	running, err := p.begin(ctx)
	if running == nil {
		return err
	}
	select {
	case <-running:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// begin returns the running write, which it starts if necessary, or nil and a result
// that has not expired.
func (p *databaseProbe) begin(ctx context.Context) (running chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		return p.running, nil
	}
	if p.now().Before(p.until) {
		return nil, p.err
	}
	p.running = make(chan struct{})
	// Other callers wait for the result too, so this caller does not cancel it.
	go p.run(context.WithoutCancel(ctx), p.running)
	return p.running, nil
}

func (p *databaseProbe) run(ctx context.Context, ended chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, writeProbeTimeout)
	defer cancel()
	err := p.ask(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.until, p.running = err, p.now().Add(writeProbeLife), nil
	close(ended)
}
