package service

import (
	"context"
	"sync"
	"time"
)

// writeProbeLife is how long the result of a write probe stands for those who ask
// next. Anybody may ask as often as he likes, and one probe a second is all that
// the disk has of it.
const writeProbeLife = time.Second

// writeProbeTimeout is how long a probe may take. A database that needs longer for
// one row is as good as one that fails.
const writeProbeTimeout = 5 * time.Second

// writeProbe shares one write among all who ask at about the same time.
type writeProbe struct {
	write func(context.Context) error
	now   func() time.Time

	mu      sync.Mutex
	running chan struct{} // closed when the write under way has ended; nil: none is
	until   time.Time     // when the result is too old
	err     error
}

// Writable returns nil when changes can be made: it writes a row of its own, or
// tells what came of that less than a second ago. When the database cannot be
// written to it returns the error of the write, such as KindUnavailable.
func (s *Service) Writable(ctx context.Context) error { return s.probe.ask(ctx) }

// FailedWrites returns how many changes have failed since the start because the
// database could not be written to.
func (s *Service) FailedWrites() int64 { return s.db.FailedWrites() }

func (p *writeProbe) ask(ctx context.Context) error {
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

// begin returns the write under way, which it begins if need be, or nil and a
// result that is not too old.
func (p *writeProbe) begin(ctx context.Context) (running chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		return p.running, nil
	}
	if p.now().Before(p.until) {
		return nil, p.err
	}
	p.running = make(chan struct{})
	// Others wait for the result too, so it does not end with this caller.
	go p.run(context.WithoutCancel(ctx), p.running)
	return p.running, nil
}

func (p *writeProbe) run(ctx context.Context, ended chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, writeProbeTimeout)
	defer cancel()
	err := p.write(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.until, p.running = err, p.now().Add(writeProbeLife), nil
	close(ended)
}
