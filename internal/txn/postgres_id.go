package txn

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// idBatcher allocates ids on PostgreSQL. It moves the counters in short transactions
// of their own, so that creates do not wait for each other's commits. These
// transactions do not wait for the disk either: a row with such an id follows the
// counter in the write-ahead log, so a counter is never lost without the rows,
// unless the row is written to another server; see keep.
type idBatcher struct {
	pool    *pgxpool.Pool
	batcher batcher[*idRequest]
}

type idRequest struct {
	waiter
	key idKey
	id  int64
}

func newIDBatcher(ctx context.Context, config *pgxpool.Config) (*idBatcher, error) {
	config = config.Copy()
	config.MinConns, config.MaxConns = 0, 1
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	k := &idBatcher{pool: pool}
	k.batcher.process, k.batcher.maxBatch, k.batcher.workers = k.giveAll, math.MaxInt, 1
	return k, nil
}

func (k *idBatcher) close() {
	k.batcher.work.Wait()
	k.pool.Close()
}

// next implements idSource. The store must have been committed.
func (k *idBatcher) next(t *Tx, key idKey) (int64, error) {
	q := &idRequest{waiter: newWaiter(key.store), key: key}
	if err := k.batcher.do(q); err != nil {
		return 0, err
	}
	return q.id, k.keep(t, key, q.id)
}

// keep writes the counter together with the row that has the id, if the database has
// a lower one: the counter may have been moved on a server that was lost since.
// Normally it writes nothing and takes no lock.
func (k *idBatcher) keep(t *Tx, key idKey, to int64) error {
	return t.Later(`INSERT INTO counters (store_hash, kind, last_id) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
		WHERE NOT EXISTS (SELECT FROM counters WHERE store_hash = $1 AND kind = $2 AND last_id >= $3)
		ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = greatest(counters.last_id, $3)`,
		key.store, key.kind, to)
}

// reserve implements idSource.
func (k *idBatcher) reserve(t *Tx, key idKey, above, n int64) (first int64, err error) {
	conn, err := acquire(t.ctx, k.pool, acquireTimeout)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	var last int64
	err = conn.QueryRow(t.ctx, `INSERT INTO counters (store_hash, kind, last_id) VALUES ($1, $2, CAST($3 AS BIGINT) + CAST($4 AS BIGINT))
		ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = greatest(counters.last_id, $3) + $4 RETURNING last_id`,
		key.store, key.kind, above, n).Scan(&last)
	if err := failed(conn, err); err != nil {
		return 0, err
	}
	return last - n + 1, k.keep(t, key, last)
}

// giveAll moves each counter once, by the number of requests for it. If that fails,
// because a store is deleted, it moves each counter in a transaction of its own.
func (k *idBatcher) giveAll(batch []*idRequest) {
	byKey := map[idKey][]*idRequest{}
	for _, q := range batch {
		byKey[q.key] = append(byKey[q.key], q)
	}
	// All nodes move counters in the same order, so that they cannot deadlock.
	keys := slices.SortedFunc(maps.Keys(byKey), func(a, b idKey) int {
		return cmp.Or(cmp.Compare(a.store, b.store), cmp.Compare(a.kind, b.kind))
	})
	err := k.move(keys, byKey)
	if len(keys) == 1 || !isRefused(err) {
		setError(batch, err)
		return
	}
	for _, key := range keys {
		setError(byKey[key], k.move([]idKey{key}, byKey))
	}
}

// move moves counters in one transaction.
func (k *idBatcher) move(keys []idKey, byKey map[idKey][]*idRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
	defer cancel()
	conn, err := acquire(ctx, k.pool, acquireTimeout)
	if err != nil {
		return err
	}
	defer conn.Release()
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
			return failed(conn, first(err, results.Close()))
		}
		give(byKey[key], last)
	}
	return failed(conn, results.Close())
}

// give assigns consecutive ids, of which last is the highest.
func give(requests []*idRequest, last int64) {
	for i, q := range requests {
		q.id = last - int64(len(requests)-1-i)
	}
}
