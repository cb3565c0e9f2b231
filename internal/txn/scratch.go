package txn

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// scratch calls fn with a new connection. Writes to temporary tables take no lock
// on the database file.
func (d *sqliteDB) scratch(ctx context.Context, fn func(*Tx) error) (err error) {
	s, err := d.connect(ctx, false)
	if err != nil {
		return d.engine.classify(err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	// query_only forbids writes to temporary tables too.
	if _, err := s.exec(ctx, "PRAGMA query_only = 0", nil); err != nil {
		return d.engine.classify(err)
	}
	return fn(&Tx{ctx: ctx, lookups: ctx, session: s, engine: d.engine})
}

// scratch calls fn with a connection outside the pool, because it may be in use for
// minutes. Its statements have no timeouts.
func (d *postgresDB) scratch(ctx context.Context, fn func(*Tx) error) error {
	config := d.home.pool.Config()
	config.MinConns, config.MinIdleConns, config.MaxConns = 0, 0, 1
	for name := range postgresLimits {
		config.ConnConfig.RuntimeParams[name] = "0"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return d.engine.classify(err)
	}
	defer pool.Close()
	conn, err := acquire(ctx, pool, acquireTimeout)
	if err != nil {
		return d.engine.classify(err)
	}
	defer conn.Release()
	return fn(&Tx{ctx: ctx, lookups: ctx, session: &postgresSession{db: d, conn: conn, place: d.placeOf(ctx, "")}, engine: d.engine})
}

// Snapshot runs fn in a transaction on a scratch connection. All reads of fn see the
// same snapshot.
func (t *Tx) Snapshot(fn func() error) error {
	if _, err := t.Exec(t.engine.beginSnapshot); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := fn()
	if err != nil {
		// The caller closes the connection next, which ends the transaction too.
		_, _ = t.Exec("ROLLBACK")
		return err
	}
	_, err = t.Exec("COMMIT")
	return err
}
