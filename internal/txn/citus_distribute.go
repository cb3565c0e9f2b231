package txn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"

	"cohort.example/cohort"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// DistributeOptions are for [Distribute].
type DistributeOptions struct {
	// Shards is how many parts the tables are split into. It matters for the first
	// distribution only.
	Shards int
	// Coordinator is HOST:PORT by which the workers reach the coordinator, if Citus does not
	// know it yet. Empty means the one of the URL.
	Coordinator string
	// DryRun changes nothing.
	DryRun bool
}

// Distribution is what [Distribute] does, or would do.
type Distribution struct {
	Version     string // of Citus
	Workers     []string
	Coordinator string // HOST:PORT that Citus gets to know as the coordinator; "": it knows it
	Tables      []TablePlace
	Placed      int // tables that were in their places before
}

// Distribute spreads the tables of the database over the workers of Citus, in one
// transaction. Tables that are spread already stay as they are. It brings the schema up to
// date first, unless it is a dry run.
//
// It returns KindInvalid if the URL does not name a coordinator of Citus with workers, and
// KindUnavailable if the database cannot be reached or the user may not do it.
func Distribute(ctx context.Context, url string, schema Schema, o DistributeOptions) (*Distribution, error) {
	config, e, err := postgresOnly(url, schema)
	if err != nil {
		return nil, err
	}
	db := openAdmin(config)
	d, err := distributeOn(ctx, db, e, config, o)
	if err = errors.Join(err, db.Close()); err == nil {
		return d, nil
	}
	if refused, ok := errors.AsType[refusedError](err); ok {
		return nil, cohort.Invalid("db", fmt.Sprintf("cannot distribute %s: %s", Redact(url), refused.error))
	}
	return nil, openError(url, err, e)
}

// refusedError says why tables cannot be distributed.
type refusedError struct{ error }

func postgresOnly(url string, schema Schema) (*pgxpool.Config, *engine, error) {
	e, err := engineFor(url, schema)
	if err != nil {
		return nil, nil, err
	}
	config, err := postgresConfig(url)
	if err != nil {
		return nil, nil, cohort.Invalid("db", "only a PostgreSQL database with Citus can be distributed")
	}
	return config, e, nil
}

// openAdmin opens a connection without timeouts, for changes of the schema.
func openAdmin(config *pgxpool.Config) *sql.DB {
	conn := config.ConnConfig.Copy()
	for name := range postgresLimits {
		delete(conn.RuntimeParams, name)
	}
	db := stdlib.OpenDB(*conn)
	db.SetMaxOpenConns(1) // advisory locks belong to the connection
	return db
}

func distributeOn(ctx context.Context, db *sql.DB, e *engine, config *pgxpool.Config, o DistributeOptions) (*Distribution, error) {
	c, err := readCitus(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := c.refusal(); err != nil {
		return nil, refusedError{err}
	}
	if !o.DryRun {
		if err := lockAndMigrate(ctx, db, e); err != nil {
			return nil, err
		}
		if c, err = readCitus(ctx, db); err != nil { // another node may have distributed them meanwhile
			return nil, err
		}
	}
	d := &Distribution{Version: c.version, Workers: c.workers, Tables: c.missing(e.places)}
	d.Placed = spread(e.places) - len(d.Tables)
	if c.coordinator == "" {
		if d.Coordinator, err = coordinatorAddress(config, o.Coordinator); err != nil {
			return nil, refusedError{err}
		}
	}
	if o.DryRun || len(d.Tables) == 0 {
		return d, nil
	}
	return d, distribute(ctx, db, d, e.places, o.Shards)
}

// coordinatorAddress returns the address by which workers reach the coordinator: the one
// given, or that of the URL unless it means this machine.
func coordinatorAddress(config *pgxpool.Config, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	host := config.ConnConfig.Host
	ip := net.ParseIP(host)
	if host == "" || host == "localhost" || host[0] == '/' || ip != nil && ip.IsLoopback() {
		return "", errors.New("its Citus does not know the address by which workers reach the coordinator; name it with --coordinator HOST:PORT")
	}
	return net.JoinHostPort(host, strconv.Itoa(int(config.ConnConfig.Port))), nil
}

// distribute puts tables into their places, in one transaction.
func distribute(ctx context.Context, db *sql.DB, d *Distribution, places []TablePlace, shards int) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the first error says more
		}
	}()
	w := &distributor{ctx: ctx, tx: tx}
	w.exec("SET LOCAL client_min_messages = warning") // Citus tells of each table that it copies
	w.exec("SET LOCAL citus.multi_shard_modify_mode = 'sequential'")
	if shards > 0 {
		w.exec(fmt.Sprintf("SET LOCAL citus.shard_count = %d", shards))
	}
	w.setCoordinator(d.Coordinator)
	keys := w.dropForeignKeys(d.Tables)
	for _, t := range d.Tables {
		w.place(t, places)
	}
	for _, k := range keys {
		w.exec("ALTER TABLE " + k.table + " ADD CONSTRAINT " + k.name + " " + k.definition)
	}
	if w.err != nil {
		return w.err
	}
	return tx.Commit()
}

// distributor runs the statements of a distribution until one fails.
type distributor struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

func (w *distributor) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.ExecContext(w.ctx, query, args...)
	}
}

func (w *distributor) setCoordinator(address string) {
	if w.err != nil || address == "" {
		return
	}
	host, text, err := net.SplitHostPort(address)
	port, portErr := strconv.Atoi(text)
	if w.err = errors.Join(err, portErr); w.err == nil {
		w.exec("SELECT citus_set_coordinator_host($1, $2)", host, port)
	}
}

// place distributes one table. Each takes a statement of its own: Citus does not find the
// tables of the same statement.
func (w *distributor) place(t TablePlace, places []TablePlace) {
	switch root := firstByStore(places); {
	case t.Place == OnEveryServer:
		w.exec("SELECT create_reference_table($1::text::regclass)", t.Table)
	case t.Table == root:
		w.exec("SELECT create_distributed_table($1::text::regclass, 'store_hash', colocate_with => 'none')", t.Table)
	default:
		w.exec("SELECT create_distributed_table($1::text::regclass, 'store_hash', colocate_with => $2)", t.Table, root)
	}
	// Otherwise the rows that the table had stay on the coordinator's disk, where no query sees them.
	w.exec("SELECT truncate_local_data_after_distributing_table($1::text::regclass)", t.Table)
}

func firstByStore(places []TablePlace) string {
	for _, p := range places {
		if p.Place == ByStore {
			return p.Table
		}
	}
	return ""
}

// foreignKey is a foreign key with the text that makes it.
type foreignKey struct{ table, name, definition string }

// dropForeignKeys drops the foreign keys from and to tables and returns them. Citus cannot
// distribute a table while a key refers from or to one that is not distributed yet.
func (w *distributor) dropForeignKeys(tables []TablePlace) (keys []foreignKey) {
	if w.err != nil {
		return nil
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Table
	}
	rows, err := w.tx.QueryContext(w.ctx, `SELECT f.conrelid::regclass::text, quote_ident(f.conname), pg_get_constraintdef(f.oid)
		FROM pg_constraint AS f JOIN pg_class AS own ON own.oid = f.conrelid JOIN pg_class AS other ON other.oid = f.confrelid
		WHERE f.contype = 'f' AND own.relnamespace = current_schema()::regnamespace
		AND (own.relname = ANY($1) OR other.relname = ANY($1)) ORDER BY f.oid`, names)
	if w.err = err; err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() && w.err == nil {
		var k foreignKey
		w.err = rows.Scan(&k.table, &k.name, &k.definition)
		keys = append(keys, k)
	}
	w.err = errors.Join(w.err, rows.Err(), rows.Close())
	for _, k := range keys {
		w.exec("ALTER TABLE " + k.table + " DROP CONSTRAINT " + k.name)
	}
	return keys
}
