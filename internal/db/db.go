// Package db stores the resources of package cohort in a SQL database. It contains
// their SQL, the same for both engines; package txn contains the engines and the
// transactions.
package db

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/tracing"
	"cohort.example/cohort/internal/txn"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the files that create the schema.
var migrations = func() fs.FS {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}()

// DB is an open database.
type DB struct {
	*txn.DB
	run transactions // the embedded DB; tests replace it

	// The constants of these names; tests replace them.
	maxBatch      int
	maxBatchPause time.Duration
}

// transactions runs transactions. It is an interface so that tests can inject
// failures and record queries.
type transactions interface {
	Update(context.Context, func(*txn.Tx) error) error
	UpdateLong(context.Context, func(*txn.Tx) error) error
	View(context.Context, func(*txn.Tx) error) error
	ViewLong(context.Context, func(*txn.Tx) error) error
	Scratch(context.Context, func(*txn.Tx) error) error
}

// Tx is a transaction. Its methods read and write the resources.
type Tx struct {
	*txn.Tx
	// How this transaction reads the catalog of catalogStore; see Tx.catalog.
	catalogKnown, catalogWithImport bool
	catalogStore                    string

	recorder     *Recorder    // nil: changes are not recorded
	batch        bool         // see InBatch
	deletedGroup cohort.Group // by the last DeleteGroup
	// Whether eventsStore records events, once hasEvents has read it.
	eventsOn    bool
	eventsStore string
	eventsTold  bool // EventsRecorded is noted
}

// Open opens the database at the URL and migrates its schema; see [txn.Open].
func Open(ctx context.Context, url string) (*DB, error) {
	return opened(txn.Open(ctx, url, Schema()))
}

// OpenExisting is Open for a database that must exist; see [txn.OpenExisting].
func OpenExisting(ctx context.Context, url string) (*DB, error) {
	return opened(txn.OpenExisting(ctx, url, Schema()))
}

// Distribute spreads the tables over the workers of Citus; see [txn.Distribute].
func Distribute(ctx context.Context, url string, o DistributeOptions) (*Distribution, error) {
	return txn.Distribute(ctx, url, Schema(), o)
}

func opened(d *txn.DB, err error) (*DB, error) {
	if err != nil {
		return nil, err
	}
	return New(d), nil
}

// New returns the resources of an open database.
func New(d *txn.DB) *DB {
	return &DB{DB: d, run: d, maxBatch: maxBatch, maxBatchPause: maxBatchPause}
}

// Schema describes the tables for [txn.Open].
func Schema() txn.Schema {
	return txn.Schema{Migrations: migrations, Unique: []txn.UniqueIndex{groupNames, customerEmails}, Places: places}
}

// Update runs fn in a transaction and commits it; see [txn.DB.Update].
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	ctx, span := traced(ctx, db, "database update")
	err := db.run.Update(ctx, wrap(ctx, fn))
	span.End(err)
	return err
}

// UpdateLong is Update for a transaction that takes long; see
// [txn.DB.UpdateLong].
func (db *DB) UpdateLong(ctx context.Context, fn func(*Tx) error) error {
	return db.run.UpdateLong(ctx, wrap(ctx, fn))
}

// View runs fn in a read-only transaction; see [txn.DB.View].
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	ctx, span := traced(ctx, db, "database view")
	err := db.run.View(ctx, wrap(ctx, fn))
	span.End(err)
	return err
}

// ViewOne is View for a function that runs one query; see [txn.OneQuery].
func (db *DB) ViewOne(ctx context.Context, fn func(*Tx) error) error {
	return db.View(txn.OneQuery(ctx), fn)
}

// ViewLong is View for a transaction that takes long; see [txn.DB.ViewLong].
func (db *DB) ViewLong(ctx context.Context, fn func(*Tx) error) error {
	return db.run.ViewLong(ctx, wrap(ctx, fn))
}

// scratch runs fn on a connection that can write temporary tables; see
// [txn.DB.Scratch].
func (db *DB) scratch(ctx context.Context, fn func(*Tx) error) error {
	return db.run.Scratch(ctx, wrap(ctx, fn))
}

// traced begins the span of a transaction, unless it is a part of another one. The time before
// the transaction begins is in it too.
func traced(ctx context.Context, db *DB, name string) (context.Context, *tracing.Span) {
	if Joined(ctx) {
		return ctx, nil
	}
	ctx, span := tracing.Start(ctx, name)
	span.Text("db.system.name", db.System())
	return ctx, span
}

func wrap(ctx context.Context, fn func(*Tx) error) func(*txn.Tx) error {
	recorder := recorderOf(ctx)
	return func(t *txn.Tx) error { return fn(&Tx{Tx: t, recorder: recorder}) }
}

// snapshot runs fn so that all of its reads on a scratch connection see one
// snapshot of the database.
func (t *Tx) snapshot(fn func() error) error {
	return t.Snapshot(func() error {
		t.forgetCatalog()
		return fn()
	})
}
