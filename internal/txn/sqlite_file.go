package txn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteFile is the file of a SQLite database.
type sqliteFile struct{ path string }

func sqliteEngine(path string, schema Schema) (*engine, error) {
	if path == ":memory:" {
		return nil, cohort.Invalid("db", "a database in memory would be lost with the process; give a file")
	}
	path, err := filepath.Abs(path) // two leading slashes would name a host
	if err != nil {
		return nil, err
	}
	f := sqliteFile{path}
	e := &engine{
		dialect: goose.DialectSQLite3, migrations: schema.Migrations, unique: schema.Unique, seesAllWrites: true, beginSnapshot: "BEGIN",
		SQL: SQL{
			Engine:         "SELECT 'SQLite ' || sqlite_version()",
			Size:           "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
			CommitsInOrder: true,
			NoIndex:        "+",
			NotAmong:       func(column, query string) string { return column + " NOT IN (" + query + ")" },
			IDTable:        "(SELECT value AS wanted FROM json_each('[' || $2 || ']')) AS ids",
			Joined:         func(column string) string { return "group_concat(" + column + ")" },
			RowsOf: func(of, key string, l LookupBy) string {
				return "SELECT x." + strings.ReplaceAll(l.Columns, ", ", ", x.") + " FROM " + of + " CROSS JOIN " + As(l.Table, "x") +
					" WHERE x.store_hash = $1 AND x." + l.Column + " = " + key + l.Condition
			},
			DeleteSome: func(table, key string) string {
				return "DELETE FROM " + table + " WHERE rowid IN (SELECT rowid FROM " + table +
					" WHERE store_hash = $1 ORDER BY " + key + " LIMIT CAST($2 AS BIGINT))"
			},
		},
		trouble: sqliteTrouble, conflict: sqliteConflict, violates: sqliteViolates, orphan: sqliteOrphan,
	}
	e.open = func(ctx context.Context, changed func([]Change)) (backend, error) {
		return newSQLiteDB(ctx, e, f.path, f.connect, changed)
	}
	e.prepare = func(ctx context.Context, create bool) error { return f.prepare(ctx, e, create) }
	return e, nil
}

func (f sqliteFile) prepare(ctx context.Context, e *engine, create bool) (err error) {
	if err := f.check(create); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", f.writeDSN())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	// A write that is rolled back shows at start, not at the first request, that the
	// file is a database, writable and not locked.
	if err := tryWrite(ctx, db); err != nil {
		return err
	}
	return migrate(ctx, db, e)
}

// connect opens a connection as database/sql would, without the rest of
// database/sql.
func (f sqliteFile) connect(ctx context.Context, write bool) (session, error) {
	dsn := f.dsn("_txlock=deferred", "_pragma=query_only(1)", "_pragma=cache_size(-4096)")
	if write {
		dsn = f.writeDSN()
	}
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{conn: conn, statements: map[string]*sqliteStmt{}}, nil
}

// writeDSN is for connections that write. The checkpointer runs the checkpoints, so
// commits do not.
func (f sqliteFile) writeDSN() string {
	return f.dsn("_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)",
		"_pragma=wal_autocheckpoint(0)", "_pragma=cache_size(-16384)")
}

func (f sqliteFile) check(create bool) error {
	creating.Lock()
	defer creating.Unlock()
	info, err := os.Stat(f.path)
	switch {
	case err == nil && info.IsDir():
		return errors.New("it is a directory, not a file")
	case err == nil && info.Size() > 0 && info.Size() < minPage:
		return errNotSQLite
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return err
	case !create:
		return errors.New("there is no such file; `cohort serve` or `cohort store create` makes one")
	}
	if _, err := os.Stat(filepath.Dir(f.path)); err != nil {
		return fmt.Errorf("its folder %s does not exist", filepath.Dir(f.path))
	}
	return createPrivate(f.path)
}

// minPage is the size in bytes of the smallest database. SQLite treats a smaller
// file as empty and overwrites it. The file is not opened for a closer look,
// because closing it again would drop this process's locks on it.
const minPage = 512

var (
	errNotSQLite  = errors.New("the file is not a SQLite database")
	errCannotOpen = errors.New("the file cannot be opened; check its permissions and those of its folder")
)

// dsn returns the path as a file: URI. It escapes '?', '#' and '%', which would
// start parameters.
func (f sqliteFile) dsn(params ...string) string {
	params = append([]string{
		fmt.Sprintf("_busy_timeout=%d", busyTimeout.Milliseconds()), "_dqs=0", "_error_rc=1",
	}, params...)
	return "file:" + (&url.URL{Path: f.path}).EscapedPath() + "?" + strings.Join(params, "&")
}

// tryWrite writes and rolls back. Beginning a transaction is not enough: on a
// read-only file BEGIN IMMEDIATE succeeds.
//
// While another node creates the file, SQLite reports it as locked without waiting,
// so tryWrite waits.
func tryWrite(ctx context.Context, db *sql.DB) error {
	for waited := time.Duration(0); ; waited += busyPause {
		err := tryWriteOnce(ctx, db)
		if !isBusy(err) || waited >= busyTimeout {
			return err
		}
		time.Sleep(busyPause)
	}
}

func tryWriteOnce(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "CREATE TABLE is_writable (n INTEGER)")
	return errors.Join(err, tx.Rollback())
}

// busyTimeout is how long a transaction waits while another process writes.
// busyPause is the interval of retries where SQLite does not wait by itself.
const (
	busyTimeout = 5 * time.Second
	busyPause   = 10 * time.Millisecond
)

func isBusy(err error) bool { return primary(sqliteCode(err)) == sqlite3.SQLITE_BUSY }

// sqliteTroubles has a message for people per primary result code.
var sqliteTroubles = map[int]string{
	sqlite3.SQLITE_BUSY:     "it is locked by another process",
	sqlite3.SQLITE_LOCKED:   "it is locked by another process",
	sqlite3.SQLITE_READONLY: "it is read-only",
	sqlite3.SQLITE_NOTADB:   errNotSQLite.Error(),
	sqlite3.SQLITE_CORRUPT:  "the file is damaged",
	sqlite3.SQLITE_CANTOPEN: errCannotOpen.Error(),
	sqlite3.SQLITE_PERM:     "permission denied",
	sqlite3.SQLITE_FULL:     "the disk is full",
	sqlite3.SQLITE_IOERR:    "the disk reports an error",
	sqlite3.SQLITE_PROTOCOL: "it is locked by another process",
	sqlite3.SQLITE_NOLFS:    "the file system does not hold files of this size",
}

func sqliteTrouble(err error) string { return sqliteTroubles[primary(sqliteCode(err))] }

// primary returns the primary result code of an extended one.
func primary(code int) int { return code & 0xff }

func sqliteConflict(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// sqliteViolates reads the message, because SQLite reports the columns of the index
// nowhere else: "UNIQUE constraint failed: table.column, table.column".
func sqliteViolates(err error, u UniqueIndex) bool {
	_, columns, _ := strings.Cut(err.Error(), "UNIQUE constraint failed: ")
	return slices.Contains(strings.FieldsFunc(columns, func(r rune) bool { return r == ' ' || r == ',' }), u.Column)
}

func sqliteOrphan(err error) bool { return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY }

// sqliteCode returns the extended result code of a driver error, 0 for other errors.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
