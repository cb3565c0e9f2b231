package txn

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// scratch gives fn a connection that SQLite takes no lock on the file for as long
// as it writes temporary tables alone.
func (d *sqliteDB) scratch(ctx context.Context, fn func(*Tx) error) (err error) {
	s, err := d.connect(ctx, false)
	if err != nil {
		return d.engine.classify(err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	// Even temporary tables cannot be written by a connection that only reads.
	if _, err := s.exec(ctx, "PRAGMA query_only = 0", nil); err != nil {
		return d.engine.classify(err)
	}
	return fn(&Tx{ctx: ctx, lookups: ctx, session: s, engine: d.engine})
}

// scratch gives fn a connection from beside the pool, which has none to spare for
// minutes. Its statements have no limits of time.
func (d *postgresDB) scratch(ctx context.Context, fn func(*Tx) error) error {
	config := d.pool.Config()
	config.MinConns, config.MinIdleConns, config.MaxConns = 0, 0, 1
	for name := range postgresLimits {
		config.ConnConfig.RuntimeParams[name] = "0"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return d.engine.classify(err)
	}
	defer pool.Close()
	conn, err := acquire(ctx, pool)
	if err != nil {
		return d.engine.classify(err)
	}
	defer conn.Release()
	return fn(&Tx{ctx: ctx, lookups: ctx, session: &postgresSession{db: d, conn: conn}, engine: d.engine})
}

// Snapshot runs fn in a transaction of a scratch connection: everything that it
// reads of the store is of one moment.
func (t *Tx) Snapshot(fn func() error) error {
	if _, err := t.Exec(t.engine.beginSnapshot); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := fn()
	if err != nil {
		// The connection is closed next, and with it the transaction.
		_, _ = t.Exec("ROLLBACK")
		return err
	}
	_, err = t.Exec("COMMIT")
	return err
}
