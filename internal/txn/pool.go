package txn

import (
	"context"
	"errors"
	"sync"
)

// pool has the connections for reading. It opens them on demand and reuses the most
// recently used one first, because its page cache is the warmest.
type pool struct {
	open  func(context.Context) (session, error)
	slots chan struct{} // its capacity is the maximum number of connections

	mu   sync.Mutex
	idle []session
}

func newPool(size int, open func(context.Context) (session, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, size)}
}

// take waits for a connection until ctx ends.
func (p *pool) take(ctx context.Context) (session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s := p.pop(); s != nil {
		return s, nil
	}
	s, err := p.open(ctx)
	if err != nil {
		<-p.slots
	}
	return s, err
}

func (p *pool) pop() session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	last := len(p.idle) - 1
	s := p.idle[last]
	p.idle = p.idle[:last]
	return s
}

// put returns a connection to the pool.
func (p *pool) put(s session) {
	p.mu.Lock()
	p.idle = append(p.idle, s)
	p.mu.Unlock()
	<-p.slots
}

// drop closes a connection whose state is unknown.
func (p *pool) drop(s session) {
	_ = s.close() // the next take opens a new one
	<-p.slots
}

// close closes the connections. None may be in use.
func (p *pool) close() (err error) {
	for s := p.pop(); s != nil; s = p.pop() {
		err = errors.Join(err, s.close())
	}
	return err
}
