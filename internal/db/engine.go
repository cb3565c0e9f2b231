package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"cohort.example/cohort"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// engine is everything in which one database engine differs from another.
type engine struct {
	dialect goose.Dialect
	path    string
	// trouble says in a few words what a driver error means to a person, and ""
	// for one that is not the database's state but a mistake of ours.
	trouble func(error) string
	// conflict reports whether a driver error is a unique index refusing a row.
	conflict func(error) bool
	// orphan reports whether a driver error is a foreign key refusing a row.
	orphan func(error) bool
}

func engineFor(rawURL string) (*engine, error) {
	path, ok := strings.CutPrefix(rawURL, "sqlite:")
	if !ok || path == "" {
		return nil, cohort.Invalid("db", fmt.Sprintf("%q is not a database URL; write sqlite:PATH, such as sqlite:cohort.db", rawURL))
	}
	if path == ":memory:" {
		return nil, cohort.Invalid("db", "a database in memory would be lost with the process; give a file")
	}
	path, err := filepath.Abs(path) // two slashes in front would name a host
	if err != nil {
		return nil, err
	}
	return &engine{dialect: goose.DialectSQLite3, path: path, trouble: sqliteTrouble, conflict: sqliteConflict, orphan: sqliteOrphan}, nil
}

func init() {
	// The SQL says COLLATE "C" where order matters, which PostgreSQL has by
	// itself; Go compares strings by byte, as "C" does.
	sqlite.MustRegisterCollationUtf8("C", strings.Compare)
}

// open returns the pool for transactions that write, which on SQLite is one
// connection, and the pool for those that only read.
func (e *engine) open(ctx context.Context, create bool) (write, read *sql.DB, err error) {
	if err := e.checkFile(create); err != nil {
		return nil, nil, err
	}
	write, err = sql.Open("sqlite", e.dsn(
		"_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)"))
	if err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	// One write that changes nothing shows now, not at the first create, that
	// the file is a database, that it is ours to write, and that nobody holds it.
	if err := tryWrite(ctx, write); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	read, err = sql.Open("sqlite", e.dsn("_txlock=deferred", "_pragma=query_only(1)"))
	if err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	readers := 2*runtime.GOMAXPROCS(0) + 2
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return write, read, nil
}

func (e *engine) checkFile(create bool) error {
	info, err := os.Stat(e.path)
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
	if _, err := os.Stat(filepath.Dir(e.path)); err != nil {
		return fmt.Errorf("its folder %s does not exist", filepath.Dir(e.path))
	}
	return nil
}

// minPage is the size of the smallest database in bytes. SQLite takes a smaller
// file for an empty one and writes over it. The file is not opened to look
// closer: to close it again would drop the locks that this process has on it.
const minPage = 512

var errNotSQLite = errors.New("the file is not a SQLite database")

// dsn writes the path as a file: URI, in which '?', '#' and '%' are escaped and
// so cannot turn into parameters.
func (e *engine) dsn(params ...string) string {
	params = append([]string{
		fmt.Sprintf("_busy_timeout=%d", busyTimeout.Milliseconds()), "_dqs=0", "_error_rc=1",
	}, params...)
	return "file:" + (&url.URL{Path: e.path}).EscapedPath() + "?" + strings.Join(params, "&")
}

// tryWrite begins to write and undoes it. To begin a transaction is not enough:
// on a file that is read-only even an immediate one only reads.
//
// While another node makes the file, SQLite says at once that it is locked and
// does not wait as it does later, so the waiting is done here.
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

// How long a transaction waits while another process writes, and how often
// that is looked at where SQLite does not.
const (
	busyTimeout = 5 * time.Second
	busyPause   = 10 * time.Millisecond
)

func isBusy(err error) bool { return primary(sqliteCode(err)) == sqlite3.SQLITE_BUSY }

// classify turns a driver error into a cohort.Error, once, on its way out of
// the package. Errors that are one already pass, and so does a context's.
func (e *engine) classify(err error) error {
	if _, ok := errors.AsType[*cohort.Error](err); ok {
		return err
	}
	if errors.Is(err, errClosed) {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	if e.conflict(err) {
		return &cohort.Error{Kind: cohort.KindConflict, Err: err}
	}
	if e.orphan(err) {
		// What is missing is the store or the customer, deleted a moment ago.
		return &cohort.Error{Kind: cohort.KindNotFound, Err: err}
	}
	if e.trouble(err) != "" {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	return err
}

// openError is the one line that a person gets when the database at url cannot
// be opened.
func openError(rawURL string, err error, e *engine) error {
	why := e.trouble(err)
	if why == "" {
		why = err.Error()
	}
	return &cohort.Error{
		Kind:    cohort.KindUnavailable,
		Message: fmt.Sprintf("cannot open the database %s: %s", rawURL, why),
	}
}

// sqliteTroubles holds, per primary result code, what it means to a person.
var sqliteTroubles = map[int]string{
	sqlite3.SQLITE_BUSY:     "it is locked by another process",
	sqlite3.SQLITE_LOCKED:   "it is locked by another process",
	sqlite3.SQLITE_READONLY: "it is read-only",
	sqlite3.SQLITE_NOTADB:   errNotSQLite.Error(),
	sqlite3.SQLITE_CORRUPT:  "the file is damaged",
	sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check its permissions and those of its folder",
	sqlite3.SQLITE_PERM:     "permission denied",
	sqlite3.SQLITE_FULL:     "the disk is full",
	sqlite3.SQLITE_IOERR:    "the disk reports an error",
	sqlite3.SQLITE_PROTOCOL: "it is locked by another process",
	sqlite3.SQLITE_NOLFS:    "the file system does not hold files of this size",
}

func sqliteTrouble(err error) string { return sqliteTroubles[primary(sqliteCode(err))] }

// primary is the result code that an extended one is a case of.
func primary(code int) int { return code & 0xff }

func sqliteConflict(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func sqliteOrphan(err error) bool { return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY }

// sqliteCode is the extended result code of a driver error, 0 for other errors.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
