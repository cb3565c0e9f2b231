package limit

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// run does all background work: it renews leases, removes freed slots and
// reconnects to Redis. It is one goroutine, so a renewal cannot bring back a slot
// that is being removed, and only one reconnect runs at a time.
func (s *Shared) run(ctx context.Context) {
	defer close(s.stopped)
	delay := s.timing.retryDelay
	for ctx.Err() == nil {
		if !s.sharing.Load() {
			delay = s.reconnect(ctx, delay)
			continue
		}
		began := time.Now()
		if err := s.maintainSlots(ctx); err != nil && ctx.Err() == nil {
			s.stopSharing(err)
		}
		if time.Since(began) > s.timing.lease {
			delay = s.timing.retryDelay
		}
	}
}

// reconnect waits for a delay, tries Redis once, and returns the next delay.
func (s *Shared) reconnect(ctx context.Context, delay time.Duration) (next time.Duration) {
	// The jitter keeps the nodes from reconnecting all at once.
	wait := time.NewTimer(delay/2 + rand.N(delay/2+1))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return delay
	case <-wait.C:
	}
	if s.probe(ctx) == nil {
		s.startSharing()
	}
	return min(2*delay, s.timing.maxRetryDelay)
}

// probeRequest belongs to no store: store hashes have lower-case letters only.
var probeRequest = Request{Store: "PROBE", Operation: "probe", Concurrency: 1 << 30, Metered: true, Quota: 1 << 30}

// probe runs an admission script in Redis, within the time limit of a request.
// Only connecting may take longer.
func (s *Shared) probe(ctx context.Context) error {
	connect, cancel := context.WithTimeout(ctx, s.timing.backgroundTimeout)
	defer cancel()
	if err := s.client.Time(connect).Err(); err != nil {
		return err
	}
	_, err := s.runScript(ctx, &probeRequest, slot{concurrencyKey(&probeRequest), s.slots.node}, nil)
	return err
}

// maintainSlots keeps this node's slots in Redis up to date. It returns nil when
// sharing or ctx ends, and otherwise the first error.
func (s *Shared) maintainSlots(ctx context.Context) error {
	// Start with the requests that began or ended while the node did not share.
	if err := errors.Join(s.renew(ctx), s.removeFreed(ctx)); err != nil {
		return err
	}
	renewal := time.NewTicker(s.timing.lease / 3)
	defer renewal.Stop()
	for {
		var task func(context.Context) error
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			task = s.removeFreed
		case <-renewal.C:
			task = s.renew
		}
		if !s.sharing.Load() {
			return nil
		}
		if err := task(ctx); err != nil {
			return err
		}
	}
}

// maxBatch is how many slots are renewed or removed in one round trip.
const maxBatch = 1000

// renew extends the leases of all held slots, and adds the slots that Redis does
// not have: it may have lost them, or they began while the node did not share.
func (s *Shared) renew(ctx context.Context) error {
	held := s.slots.renewable()
	if len(held) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timing.backgroundTimeout)
	defer cancel()
	now, err := s.client.Time(ctx).Result()
	if err != nil {
		return err
	}
	ends := float64(now.Add(s.timing.lease).UnixMilli())
	return s.batches(ctx, held, func(p redis.Pipeliner, key string, members []string) {
		leases := make([]redis.Z, len(members))
		for i, member := range members {
			leases[i] = redis.Z{Score: ends, Member: member}
		}
		p.ZAdd(ctx, key, leases...)
		p.PExpire(ctx, key, s.timing.lease)
	})
}

// removeFreed removes the freed slots from Redis.
func (s *Shared) removeFreed(ctx context.Context) error {
	freed := s.slots.removable()
	if len(freed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timing.backgroundTimeout)
	defer cancel()
	err := s.batches(ctx, freed, func(p redis.Pipeliner, key string, members []string) {
		p.ZRem(ctx, key, members)
	})
	if err == nil {
		s.slots.removed(freed)
	}
	return err
}

// batches sends commands about slots in pipelines of about maxBatch slots.
func (s *Shared) batches(ctx context.Context, all map[string][]string, add func(p redis.Pipeliner, key string, members []string)) error {
	pipe, filled := s.client.Pipeline(), 0
	for key, members := range all {
		for part := range slices.Chunk(members, maxBatch) {
			add(pipe, key, part)
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

// Close removes this node's slots from Redis and closes the connection.
func (s *Shared) Close() error {
	s.stop()
	<-s.stopped
	if s.sharing.Swap(false) {
		s.slots.freeAll()
		_ = s.removeFreed(context.Background()) // the leases of slots that remain run out
	}
	return s.client.Close()
}
