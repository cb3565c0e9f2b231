package txn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

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
	run     *runQueries
	batcher batcher[*idRequest]
}

type idRequest struct {
	waiter
	key   idKey
	shard int64 // see storePlace
	id    int64
	// run is the name of the server's run in which the counter was moved.
	run string
}

func newIDBatcher(ctx context.Context, config *pgxpool.Config, run *runQueries) (*idBatcher, error) {
	config = config.Copy()
	config.MinConns, config.MaxConns = 0, 1
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	k := &idBatcher{pool: pool, run: run}
	k.batcher.process, k.batcher.maxBatch, k.batcher.workers = k.giveAll, math.MaxInt, 1
	return k, nil
}

func (k *idBatcher) close() {
	k.batcher.work.Wait()
	k.pool.Close()
}

// nextAt is the next of idSource for a store in a place on the server of k.
func (k *idBatcher) nextAt(p storePlace, t *Tx, key idKey) (int64, error) {
	q := &idRequest{waiter: newWaiter(key.store), key: key, shard: p.shard}
	if err := k.batcher.do(q); err != nil {
		return 0, err
	}
	if s, ok := t.session.(*postgresSession); ok && p.isDirect() && s.place.server == p.server {
		s.sameServer(q.run)
		return q.id, nil
	}
	return q.id, k.keep(t, key, q.id)
}

// keep writes the counter together with the row that has the id, if the database has
// a lower one: the counter may have been moved on a server that was lost since.
// Normally it writes nothing and takes no lock. It is for ids that were reserved, and
// for those of another server, of which sameServer would know nothing.
func (k *idBatcher) keep(t *Tx, key idKey, to int64) error {
	return t.Later(`INSERT INTO counters (store_hash, kind, last_id) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
		WHERE NOT EXISTS (SELECT FROM counters WHERE store_hash = $1 AND kind = $2 AND last_id >= $3)
		ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = greatest(counters.last_id, $3)`,
		key.store, key.kind, to)
}

// reserveAt is the reserve of idSource for a store on the server of k.
func (k *idBatcher) reserveAt(_ storePlace, t *Tx, key idKey, above, n int64) (first int64, err error) {
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

// giveAll allocates ids, those of each shard of another server in a transaction of its own.
func (k *idBatcher) giveAll(batch []*idRequest) {
	slices.SortStableFunc(batch, func(a, b *idRequest) int { return cmp.Compare(a.shard, b.shard) })
	for len(batch) > 0 {
		n := 1
		for n < len(batch) && batch[n].shard == batch[0].shard {
			n++
		}
		k.giveTogether(batch[:n])
		batch = batch[n:]
	}
}

// giveTogether moves each counter once, by the number of requests for it. If that fails,
// because a store is deleted, it moves each counter in a transaction of its own.
func (k *idBatcher) giveTogether(batch []*idRequest) {
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
	parts := splitKeys(keys)
	for _, part := range parts {
		args := make([]any, 0, 3*len(part))
		for _, key := range part {
			args = append(args, key.store, key.kind, len(byKey[key]))
		}
		batch.Queue(moveCounters[len(part)], args...)
	}
	batch.Queue(k.run.name)
	results := conn.SendBatch(ctx, batch)
	for range parts {
		if err := giveMoved(results, byKey); err != nil {
			return failed(conn, first(err, results.Close()))
		}
	}
	var run string
	if err := results.QueryRow().Scan(&run); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return failed(conn, first(err, results.Close()))
	}
	if err := results.Close(); err != nil {
		return failed(conn, err)
	}
	if run == "" {
		if run, err = k.beginRun(ctx, conn); err != nil {
			return failed(conn, err)
		}
	}
	for _, requests := range byKey {
		for _, q := range requests {
			q.run = run
		}
	}
	return nil
}

// beginRun gives the server's run a name, unless another node does, and returns it. It is the run
// in which the connection has moved counters: a recovery ends all connections.
func (k *idBatcher) beginRun(ctx context.Context, conn *pgxpool.Conn) (run string, err error) {
	if _, err := conn.Exec(ctx, k.run.begin); err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, k.run.name).Scan(&run)
	return run, err
}

// moveCounters are the statements that move counters, by their number. One for several costs
// a fraction of one for each.
var moveCounters = func() map[int]string {
	list := map[int]string{}
	for _, n := range closingCounts {
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf("($%d, $%d, $%d)", 3*i+1, 3*i+2, 3*i+3))
		}
		list[n] = "INSERT INTO counters (store_hash, kind, last_id) VALUES " + strings.Join(rows, ", ") +
			" ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = counters.last_id + excluded.last_id RETURNING store_hash, kind, last_id"
	}
	return list
}()

// splitKeys splits keys into parts for which moveCounters has a statement.
func splitKeys(keys []idKey) (parts [][]idKey) {
	for _, n := range closingCounts {
		for len(keys) >= n {
			parts, keys = append(parts, keys[:n]), keys[n:]
		}
	}
	return parts
}

// giveMoved reads the counters that one statement has moved.
func giveMoved(results pgx.BatchResults, byKey map[idKey][]*idRequest) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var key idKey
	var last int64
	_, err = pgx.ForEachRow(rows, []any{&key.store, &key.kind, &last}, func() error {
		give(byKey[key], last)
		return nil
	})
	return err
}

// give assigns consecutive ids, of which last is the highest.
func give(requests []*idRequest, last int64) {
	for i, q := range requests {
		q.id = last - int64(len(requests)-1-i)
	}
}
