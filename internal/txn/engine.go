package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"cohort.example/cohort"

	"github.com/pressly/goose/v3"
)

// engine has everything in which one database engine differs from another.
type engine struct {
	SQL
	dialect goose.Dialect
	// migrations has the files that make the schema, one per version.
	migrations fs.FS
	unique     []UniqueIndex
	places     []TablePlace
	// citus is how prepare found the tables to be spread over servers; nil: they are on one.
	citus *citusState
	// prepare creates the database if it is missing and create is true, and brings its
	// schema up to date.
	prepare func(ctx context.Context, create bool) error
	// open opens a prepared database. It calls changed with the changes of each
	// transaction before Update returns.
	open func(ctx context.Context, changed func([]Change)) (backend, error)
	// seesAllWrites is what DB.SeesAllWrites returns.
	seesAllWrites bool
	// recordsChanges says that transactions record their changes for other nodes. It is
	// set by prepare.
	recordsChanges bool
	// advisoryLocks reports whether transactions lock stores; see [Tx.LockStore].
	advisoryLocks bool
	// arrays says that an argument of a statement may be an array.
	arrays bool
	// beginSnapshot begins a transaction whose reads are of one moment and which
	// may write temporary tables.
	beginSnapshot string
	// trouble returns a message for people if a driver error describes the state of
	// the database, and "" for any other error, such as a mistake in a statement.
	trouble func(error) string
	// conflict reports whether a driver error is a violation of a unique index.
	conflict func(error) bool
	// violates reports whether a violation of a unique index is one of this index.
	violates func(error, UniqueIndex) bool
	// orphan reports whether a driver error is a violation of a foreign key.
	orphan func(error) bool
}

// System names the engine as OpenTelemetry does: "sqlite" or "postgresql".
func (db *DB) System() string {
	if db.engine.dialect == goose.DialectPostgres {
		return "postgresql"
	}
	return "sqlite"
}

func engineFor(rawURL string, schema Schema) (*engine, error) {
	if path, ok := strings.CutPrefix(rawURL, "sqlite:"); ok && path != "" {
		return sqliteEngine(path, schema)
	}
	if strings.HasPrefix(rawURL, "postgres://") || strings.HasPrefix(rawURL, "postgresql://") {
		return postgresEngine(rawURL, schema)
	}
	return nil, cohort.Invalid("db", fmt.Sprintf(
		"%q is not a database URL; write sqlite:PATH, such as sqlite:cohort.db, or postgres://USER:PASSWORD@HOST/DATABASE", Redact(rawURL)))
}

// Redact returns a database URL without the passwords in it, for logs and
// messages.
func Redact(rawURL string) string {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return rawURL
	}
	// A password that is not escaped correctly may contain any character, "@" too.
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, _, secret := strings.Cut(rest[:at], ":")
		if secret {
			user += ":xxxxx"
		}
		rest = user + rest[at:]
	}
	return scheme + "://" + passwordParameter.ReplaceAllString(rest, "${1}xxxxx")
}

var passwordParameter = regexp.MustCompile(`(?i)((?:^|[?&])(?:ssl)?password=)[^&]*`)

// classify turns a driver error into a cohort.Error, once, before it leaves the
// package. It returns errors that are a cohort.Error already unchanged, and errors
// of a context too unless the database is in trouble.
func (e *engine) classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*cohort.Error](err); ok {
		return err
	}
	if errors.Is(err, errClosed) {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	if errors.Is(err, errUnknown) {
		return &cohort.Error{
			Kind: cohort.KindUnavailable, Err: err,
			Message: "It is unknown whether the change was made. Please look before you try again.",
		}
	}
	if errors.Is(err, errTakenAway) {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	if taken := e.taken(err); taken != nil {
		return taken
	}
	if e.conflict(err) {
		return &cohort.Error{Kind: cohort.KindConflict, Err: err}
	}
	if e.orphan(err) {
		// The store or the customer has just been deleted.
		return &cohort.Error{Kind: cohort.KindNotFound, Err: err}
	}
	if e.trouble(err) != "" {
		return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
	}
	return err
}

// openError is the message for people when the database at url cannot be opened.
func openError(rawURL string, err error, e *engine) error {
	why := e.trouble(err)
	if why == "" {
		why = err.Error()
	}
	return &cohort.Error{
		Kind:    cohort.KindUnavailable,
		Message: fmt.Sprintf("cannot open the database %s: %s", Redact(rawURL), why),
	}
}
