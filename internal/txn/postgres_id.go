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

// idDesk gives out ids. The counters are moved in transactions of their own,
// which are over at once, so nobody waits for the commit of one who has an id.
// They do not wait for the disk either: what is committed later with such an id
// is behind it in the server's log, so a counter is never lost without all that
// was written with its ids, unless that is written to another server; see keep.
type idDesk struct {
	pool *pgxpool.Pool
	desk desk[*idRequest]
}

type idRequest struct {
	waiter
	key idKey
	id  int64
}

func newIDDesk(ctx context.Context, config *pgxpool.Config) (*idDesk, error) {
	config = config.Copy()
	config.MinConns, config.MaxConns = 0, 1
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	k := &idDesk{pool: pool}
	k.desk.carryOut, k.desk.most, k.desk.hands = k.giveAll, math.MaxInt, 1
	return k, nil
}

func (k *idDesk) close() {
	k.desk.work.Wait()
	k.pool.Close()
}

// next implements idGiver. The store has to be committed.
func (k *idDesk) next(t *Tx, key idKey) (int64, error) {
	q := &idRequest{waiter: newWaiter(key.store), key: key}
	if err := k.desk.do(q); err != nil {
		return 0, err
	}
	return q.id, k.keep(t, key, q.id)
}

// keep commits a counter that is not below an id together with what has the id:
// the one that the id was taken from may be on a server that was lost since.
// Otherwise it is there, so nothing is written and nobody waits for anybody.
func (k *idDesk) keep(t *Tx, key idKey, to int64) error {
	return t.Later(`INSERT INTO counters (store_hash, kind, last_id) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
		WHERE NOT EXISTS (SELECT FROM counters WHERE store_hash = $1 AND kind = $2 AND last_id >= $3)
		ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = greatest(counters.last_id, $3)`,
		key.store, key.kind, to)
}

// reserve implements idGiver.
func (k *idDesk) reserve(t *Tx, key idKey, above, n int64) (first int64, err error) {
	conn, err := acquire(t.ctx, k.pool)
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

// giveAll moves each counter once, by as many as want an id of it. If one cannot be
// moved, which is when its store is gone, each is moved alone.
func (k *idDesk) giveAll(batch []*idRequest) {
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
	if len(keys) == 1 || !isRefused(err) {
		end(batch, err)
		return
	}
	for _, key := range keys {
		end(byKey[key], k.move([]idKey{key}, byKey))
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

// give gives out the ids up to the last.
func give(requests []*idRequest, last int64) {
	for i, q := range requests {
		q.id = last - int64(len(requests)-1-i)
	}
}
