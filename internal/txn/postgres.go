package txn

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cohort.example/cohort"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

// postgresLimits has the timeouts of a connection, unless the URL sets its own.
var postgresLimits = map[string]string{
	"statement_timeout":                   "10s",
	"lock_timeout":                        "5s",
	"idle_in_transaction_session_timeout": "30s",
}

// postgresConnectTimeout bounds the connection attempt to each host of the URL.
const postgresConnectTimeout = 5 * time.Second

// postgresKeepAlive detects a host that disappeared silently within 15 s.
var postgresKeepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3}

func postgresEngine(rawURL string, schema Schema) (*engine, error) {
	config, err := postgresConfig(rawURL)
	if err != nil {
		return nil, err
	}
	e := &engine{
		dialect:    goose.DialectPostgres,
		migrations: forPostgres{schema.Migrations}, unique: schema.Unique, places: schema.Places, advisoryLocks: true, arrays: true, beginSnapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ",
		SQL: SQL{
			Engine:    "SELECT 'PostgreSQL ' || current_setting('server_version')",
			Size:      "SELECT pg_database_size(current_database())",
			ForUpdate: " FOR NO KEY UPDATE", ForDelete: " FOR UPDATE", ForKeyShare: " FOR KEY SHARE", SkipLocked: " SKIP LOCKED",
			IDTable:   "unnest(CAST(string_to_array($2, ',') AS BIGINT[])) AS ids (wanted)",
			Joined:    func(column string) string { return "string_agg(CAST(" + column + " AS TEXT), ',')" },
			ByteOrder: byteOrder,
			// OFFSET 0 keeps the planner from turning it into a join.
			RowsOf: func(of, key string, l LookupBy) string {
				return "SELECT x.* FROM " + of + " CROSS JOIN LATERAL (SELECT " + l.Columns + " FROM " + As(l.Table, "x") +
					" WHERE x.store_hash = $1 AND x." + l.Column + " = " + key + l.Condition + " OFFSET 0) AS x"
			},
			ComputesSkipped: true,
			NotAmong: func(column, query string) string {
				return "NOT EXISTS (SELECT 1 FROM (" + query + ") AS among (one) WHERE among.one = " + column + ")"
			},
			DeleteSome: func(table, key string) string {
				return "DELETE FROM " + table + " WHERE store_hash = $1 AND ctid = ANY(ARRAY(SELECT ctid FROM " + table +
					" WHERE store_hash = $1 ORDER BY " + key + " LIMIT CAST($2 AS BIGINT)))"
			},
		},
		trouble: postgresTrouble, conflict: postgresConflict, violates: postgresViolates, orphan: postgresOrphan,
	}
	e.prepare = func(ctx context.Context, create bool) error { return preparePostgres(ctx, config, e, create) }
	e.open = func(ctx context.Context, changed func([]Change)) (backend, error) {
		return openPostgres(ctx, rawURL, config, e, changed)
	}
	return e, nil
}

// postgresConfig parses a URL as pgx does and adds defaults.
func postgresConfig(rawURL string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, cohort.Invalid("db", err.Error()) // pgx leaves the password out
	}
	if !strings.Contains(rawURL, "pool_max_conns=") {
		config.MaxConns = int32(max(10, 4*runtime.NumCPU())) //nolint:gosec // no machine has that many
	}
	conn := &config.ConnConfig.Config
	for name, value := range postgresLimits {
		conn.RuntimeParams[name] = cmp.Or(conn.RuntimeParams[name], value)
	}
	conn.RuntimeParams["application_name"] = cmp.Or(conn.RuntimeParams["application_name"], "cohort")
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = postgresConnectTimeout
	}
	conn.OnNotice = noteWarning
	dialer := &net.Dialer{KeepAliveConfig: postgresKeepAlive}
	conn.DialFunc = dialer.DialContext
	return config, nil
}

// migrationLock is the advisory lock that a node holds while it brings the
// schema up to date: "cohort" in bytes.
const migrationLock = 0x636f686f7274

// preparePostgres brings the schema up to date. If several nodes start together, one
// of them does it and the others wait.
func preparePostgres(ctx context.Context, config *pgxpool.Config, e *engine, create bool) (err error) {
	db := openAdmin(config)
	defer func() { err = errors.Join(err, db.Close()) }()
	if !create {
		if err := hasSchema(ctx, db); err != nil {
			return err
		}
	}
	c, err := readCitus(ctx, db)
	if err != nil {
		return err
	}
	e.recordsChanges = c.version == "" // on Citus it would write to a second shard
	if !c.distributed() {
		return lockAndMigrate(ctx, db, e)
	}
	e.citus = c
	return e.prepareCitus(ctx, db)
}

func lockAndMigrate(ctx context.Context, db *sql.DB, e *engine) error {
	if _, err := db.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	return migrate(ctx, db, e)
}

func hasSchema(ctx context.Context, db *sql.DB) error {
	var has bool
	err := db.QueryRowContext(ctx, "SELECT to_regclass('stores') IS NOT NULL").Scan(&has)
	if err == nil && !has {
		return errors.New("there is nothing of cohort's in it; `cohort serve` or `cohort store create` makes the tables")
	}
	return err
}

// postgresDB is an open PostgreSQL database. Each update is a transaction of its
// own, except that updates which read nothing share one; see insertion.
type postgresDB struct {
	engine     *engine
	home       *postgresServer // of the URL
	cluster    *cluster        // nil: all rows are on home
	changed    func([]Change)
	receipts   *receipts
	follower   *follower
	background sync.WaitGroup // work that outlives its caller
	quit       chan struct{}

	outages           outages
	repeated, unknown atomic.Int64 // see Stats
	lastReset         atomic.Int64 // Unix milliseconds
	recorded          atomic.Bool  // changes were recorded that changeCleaner has to delete

	// The constants of the same names, except in tests.
	acquireTimeout, retryTimeout, settleTimeout time.Duration
}

func openPostgres(ctx context.Context, rawURL string, config *pgxpool.Config, e *engine, changed func([]Change)) (*postgresDB, error) {
	d := &postgresDB{
		engine: e, changed: changed, receipts: newReceipts(e.recordsChanges), quit: make(chan struct{}),
		acquireTimeout: acquireTimeout, retryTimeout: retryTimeout, settleTimeout: settleTimeout,
	}
	e.citus.setLimits(config.ConnConfig.RuntimeParams)
	if err := d.connect(ctx, rawURL, config); err != nil {
		return nil, err
	}
	d.follower = newFollower(config, changed)
	d.recorded.Store(true) // of processes that have ended, perhaps
	d.background.Go(d.tidy)
	return d, nil
}

// connect opens the server of the URL. With Citus there are further ones.
func (d *postgresDB) connect(ctx context.Context, rawURL string, config *pgxpool.Config) (err error) {
	citus := d.engine.citus
	if citus != nil {
		config = config.Copy()
		sequentially(config)
	}
	if d.home, err = d.openServer(ctx, config); err != nil || citus == nil {
		return err
	}
	d.engine.Distributed = true
	d.cluster = d.newCluster(rawURL, citus.group)
	return nil
}

func (d *postgresDB) close() error {
	close(d.quit)
	d.background.Wait()
	if d.cluster != nil {
		d.cluster.each((*postgresServer).close)
	}
	d.follower.close()
	d.home.close()
	return nil
}

// postgresTroubles has a message for people per error code, or per class, which is
// the first two characters of a code.
var postgresTroubles = map[string]string{
	"08":    "the connection to it, or from it to one of its workers, was lost",
	"25006": "it is read-only, as a standby is",
	"28":    "it rejected the login; check the user and the password",
	"3D000": "there is no such database; make it with createdb",
	"40":    "concurrent transactions conflicted",
	"42501": "the user may not do that there; check its privileges",
	"53":    "it has run out of connections, memory or disk",
	"53100": "its disk is full",
	"53300": "it has no connection left",
	"55P03": "another transaction holds a lock that it needs",
	"57":    "it is shutting down or starting",
	"57014": "a statement took too long",
	"58":    "its machine reports an error",
	"F0":    "its configuration is damaged",
	"XX001": "its data is damaged",
	"XX002": "its data is damaged",
}

func postgresTrouble(err error) string {
	if lostWorker(err) != "" || errors.Is(err, errWorkerLost) {
		return postgresTroubles["08"]
	}
	if errors.Is(err, errOtherServer) {
		return "it has recovered, or another server has taken its place"
	}
	if code := postgresCode(err); code != "" {
		return cmp.Or(postgresTroubles[code], postgresTroubles[code[:2]])
	}
	switch {
	case errors.Is(err, errBusy):
		return errBusy.Error()
	case isLost(err):
		return connectionCause(err)
	}
	return ""
}

func postgresConflict(err error) bool { return postgresCode(err) == "23505" }

func postgresViolates(err error, u UniqueIndex) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	// The index of a shard of Citus has the number of the shard at its end. If another server
	// reports the violation, Citus passes on the message and not the name.
	if e.ConstraintName == "" {
		return slices.ContainsFunc(identifiers.FindAllString(e.Message, -1), func(word string) bool { return isIndex(word, u.Name) })
	}
	return isIndex(e.ConstraintName, u.Name)
}

func isIndex(name, of string) bool {
	shard, is := strings.CutPrefix(name, of)
	return is && shardSuffix.MatchString(shard)
}

var (
	shardSuffix = regexp.MustCompile(`^(_\d+)?$`)
	identifiers = regexp.MustCompile(`[a-z0-9_]+`)
)

func postgresOrphan(err error) bool { return postgresCode(err) == "23503" }

// postgresCode returns the SQLSTATE of an error that the server has sent, "" for other
// errors.
func postgresCode(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && len(e.Code) == 5 {
		return e.Code
	}
	return ""
}

// isRefused reports whether the server rejected a statement and the connection is
// still open.
func isRefused(err error) bool { return postgresCode(err) != "" && !isLost(err) }

// lostError is the error of a connection that could not be opened or is broken.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

func isLost(err error) bool {
	if _, ok := errors.AsType[lostError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}
