package limit

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// run is all that goes on in the background. It is one goroutine, so that a
// slot that has been freed is never renewed behind its removal, and so that one
// alone looks for a Redis that is away.
func (s *Shared) run(ctx context.Context) {
	defer close(s.stopped)
	pause := s.terms.pause
	for ctx.Err() == nil {
		if !s.sharing.Load() {
			pause = s.seek(ctx, pause)
			continue
		}
		began := time.Now()
		if err := s.tend(ctx); err != nil && ctx.Err() == nil {
			s.endSharing(err)
		}
		if time.Since(began) > s.terms.lease {
			pause = s.terms.pause
		}
	}
}

// seek looks once for a Redis that is away, and returns how long to wait before
// the next time.
func (s *Shared) seek(ctx context.Context, pause time.Duration) (next time.Duration) {
	// Not all nodes at the same time.
	wait := time.NewTimer(pause/2 + rand.N(pause/2+1))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return pause
	case <-wait.C:
	}
	if s.probe(ctx) == nil {
		s.share()
	}
	return min(2*pause, s.terms.maxPause)
}

// probing is a request of no store: store hashes have small letters only.
var probing = Request{Store: "PROBE", Operation: "probe", Concurrency: 1 << 30, Metered: true, Quota: 1 << 30}

// probe finds out whether Redis does what an admission needs, in time. To make
// the connection may take longer.
func (s *Shared) probe(ctx context.Context) error {
	errand, cancel := context.WithTimeout(ctx, s.terms.errand)
	defer cancel()
	if err := s.client.Time(errand).Err(); err != nil {
		return err
	}
	_, err := s.ask(ctx, &probing, slot{concurrencyKey(&probing), s.slots.node}, nil)
	return err
}

// tend keeps the slots in Redis up to date while limits are shared.
func (s *Shared) tend(ctx context.Context) error {
	// What was let in and what has ended while they were not.
	if err := errors.Join(s.renew(ctx), s.removeFreed(ctx)); err != nil {
		return err
	}
	due := time.NewTicker(s.terms.lease / 3)
	defer due.Stop()
	for {
		var errand func(context.Context) error
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			errand = s.removeFreed
		case <-due.C:
			errand = s.renew
		}
		if !s.sharing.Load() {
			return nil
		}
		if err := errand(ctx); err != nil {
			return err
		}
	}
}

// maxBatch is how many slots are sent together.
const maxBatch = 1000

// renew lets the leases of all held slots begin anew. Redis may have lost them,
// or never have had them.
func (s *Shared) renew(ctx context.Context) error {
	held := s.slots.renewable()
	if len(held) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.terms.errand)
	defer cancel()
	now, err := s.client.Time(ctx).Result()
	if err != nil {
		return err
	}
	ends := float64(now.Add(s.terms.lease).UnixMilli())
	return s.batches(ctx, held, func(p redis.Pipeliner, gate string, members []string) {
		leases := make([]redis.Z, len(members))
		for i, member := range members {
			leases[i] = redis.Z{Score: ends, Member: member}
		}
		p.ZAdd(ctx, gate, leases...)
		p.PExpire(ctx, gate, s.terms.lease)
	})
}

// removeFreed removes the slots that are free again.
func (s *Shared) removeFreed(ctx context.Context) error {
	freed := s.slots.removable()
	if len(freed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.terms.errand)
	defer cancel()
	err := s.batches(ctx, freed, func(p redis.Pipeliner, gate string, members []string) {
		p.ZRem(ctx, gate, members)
	})
	if err == nil {
		s.slots.forget(freed)
	}
	return err
}

// batches sends commands about slots, some thousand at a time.
func (s *Shared) batches(ctx context.Context, all map[string][]string, add func(p redis.Pipeliner, gate string, members []string)) error {
	pipe, filled := s.client.Pipeline(), 0
	for gate, members := range all {
		for part := range slices.Chunk(members, maxBatch) {
			add(pipe, gate, part)
			if filled += len(part); filled < maxBatch {
				continue
			}
			if _, err := pipe.Exec(ctx); err != nil {
				return err
			}
			filled = 0
		}
	}
	if filled == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	return err
}

// Close gives back what the node holds in Redis, and ends.
func (s *Shared) Close() error {
	s.stop()
	<-s.stopped
	if s.sharing.Swap(false) {
		s.slots.abandon()
		_ = s.removeFreed(context.Background()) // what is left comes back by lease
	}
	return s.client.Close()
}
