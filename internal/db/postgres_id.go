package db

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// idDesk gives out ids. The counters are moved in transactions of their own,
// which are over at once, so nobody waits for the commit of one who has an id.
// They do not wait for the disk either: what is committed later with such an id
// is behind it in the server's log, so a counter is never lost without all that
// was written with its ids.
type idDesk struct {
	pool *pgxpool.Pool

	mu    sync.Mutex
	queue []*idRequest
	busy  bool
	work  sync.WaitGroup
}

type idRequest struct {
	key  idKey
	id   int64
	err  error
	done chan struct{}
}

func newIDDesk(ctx context.Context, config *pgxpool.Config) (*idDesk, error) {
	config = config.Copy()
	config.MinConns, config.MaxConns = 0, 1
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &idDesk{pool: pool}, err
}

func (k *idDesk) close() {
	k.work.Wait()
	k.pool.Close()
}

// next implements idGiver. The store has to be committed.
func (k *idDesk) next(_ *Tx, key idKey) (int64, error) {
	q := &idRequest{key: key, done: make(chan struct{})}
	k.add(q)
	<-q.done
	return q.id, q.err
}

func (k *idDesk) add(q *idRequest) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queue = append(k.queue, q)
	if !k.busy {
		k.busy = true
		k.work.Go(k.workOff)
	}
}

// workOff gives ids to all who wait, until nobody does.
func (k *idDesk) workOff() {
	for {
		batch := k.take()
		if len(batch) == 0 {
			return
		}
		k.give(batch)
		for _, q := range batch {
			close(q.done)
		}
	}
}

func (k *idDesk) take() (batch []*idRequest) {
	k.mu.Lock()
	defer k.mu.Unlock()
	batch, k.queue = k.queue, nil
	k.busy = len(batch) > 0
	return batch
}

// give moves each counter once, by as many as want an id of it. If one cannot be
// moved, which is when its store is gone, each is moved alone.
func (k *idDesk) give(batch []*idRequest) {
	byKey := map[idKey][]*idRequest{}
	for _, q := range batch {
		byKey[q.key] = append(byKey[q.key], q)
	}
	// Nodes that move several counters at once do it in the same order, or they
	// could wait for each other.
	keys := slices.SortedFunc(maps.Keys(byKey), func(a, b idKey) int {
		return cmp.Or(cmp.Compare(a.store, b.store), cmp.Compare(a.kind, b.kind))
	})
	err := k.move(keys, byKey)
	if len(keys) == 1 || postgresCode(err) == "" || isLost(err) {
		fail(batch, err)
		return
	}
	for _, key := range keys {
		fail(byKey[key], k.move([]idKey{key}, byKey))
	}
}

// move moves counters in one transaction.
func (k *idDesk) move(keys []idKey, byKey map[idKey][]*idRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
	defer cancel()
	conn, err := acquire(ctx, k.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	s := &postgresSession{conn: conn}
	batch := &pgx.Batch{}
	for _, key := range keys {
		batch.Queue(`INSERT INTO counters (store_hash, kind, last_id) VALUES ($1, $2, $3)
			ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = counters.last_id + $3 RETURNING last_id`,
			key.store, key.kind, len(byKey[key]))
	}
	results := conn.SendBatch(ctx, batch)
	for _, key := range keys {
		var last int64
		if err := results.QueryRow().Scan(&last); err != nil {
			return s.failed(first(err, results.Close()))
		}
		give(byKey[key], last)
	}
	return s.failed(results.Close())
}

// give gives out the ids up to the last.
func give(requests []*idRequest, last int64) {
	for i, q := range requests {
		q.id = last - int64(len(requests)-1-i)
	}
}

func fail(requests []*idRequest, err error) {
	for _, q := range requests {
		q.err = err
	}
}
