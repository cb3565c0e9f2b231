package txn

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresServer is a server with the connections of this process to it. A database has
// one, and with Citus further ones; see cluster.
type postgresServer struct {
	pool       *pgxpool.Pool
	ids        *idBatcher
	insertions *batcher[*insertion]
}

func (d *postgresDB) openServer(ctx context.Context, config *pgxpool.Config) (*postgresServer, error) {
	pool, err := pgxpool.NewWithConfig(ctx, config.Copy())
	if err != nil {
		return nil, err
	}
	s := &postgresServer{pool: pool}
	if s.ids, err = newIDBatcher(ctx, config, d.engine.runQueries()); err != nil {
		pool.Close()
		return nil, err
	}
	s.insertions = &batcher[*insertion]{process: d.insertAll, maxBatch: maxShared, workers: maxSharing}
	return s, nil
}

func (s *postgresServer) close() {
	s.insertions.work.Wait()
	s.ids.close()
	s.pool.Close()
}

func (s *postgresServer) reset() {
	s.pool.Reset()
	s.ids.pool.Reset()
}

// storePlace says where a transaction for a store runs.
type storePlace struct {
	server *postgresServer
	citus  bool // server is one of several of Citus
	// shard is the shard of Citus that has the rows of the store if server does not hold
	// them itself, and passes each statement on; otherwise 0.
	shard int64
	// literal says that a query may have the key of the store in its text; see literal.
	literal bool
}

// isDirect reports whether the server itself has the rows of the store.
func (p storePlace) isDirect() bool { return p.shard == 0 }

// placeOf returns the place of a store, by its key; "" is the place of a transaction for no
// store or for several.
func (d *postgresDB) placeOf(ctx context.Context, store string) storePlace {
	if d.cluster == nil {
		return storePlace{server: d.home}
	}
	return d.cluster.placeOf(ctx, store)
}

// serverIDs allocates the ids of each store on its server.
type serverIDs struct{ *postgresDB }

// next implements idSource. The store must have been committed.
func (s serverIDs) next(t *Tx, key idKey) (int64, error) {
	p := s.placeOf(t.ctx, key.store)
	return p.server.ids.nextAt(p, t, key)
}

// reserve implements idSource.
func (s serverIDs) reserve(t *Tx, key idKey, above, n int64) (first int64, err error) {
	p := s.placeOf(t.ctx, key.store)
	return p.server.ids.reserveAt(p, t, key, above, n)
}

// replace implements idSource.
func (s serverIDs) replace(t *Tx, store string, last map[string]int64, keep []string) error {
	t.ids = &replacedIDs{rest: t.ids, store: store, keep: keep, last: cloned(last)}
	return nil
}

// lasts implements idSource.
func (s serverIDs) lasts(t *Tx, store string) (map[string]int64, error) { return t.storedIDs(store) }

// noteLoss makes other transactions use the server of the URL for a moment if another server
// cannot be reached.
func (d *postgresDB) noteLoss(server *postgresServer, err error) {
	if d.cluster != nil && isLost(err) {
		d.cluster.lost(server)
	}
}

var errNoServer = errors.New("the server is not reachable from here")
