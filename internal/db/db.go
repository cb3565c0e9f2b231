// Package db keeps the resources of package cohort in a SQL database. It has their
// SQL, one text for both engines; package txn has the engines and transactions.
package db

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"cohort.example/cohort/internal/txn"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations has the files that make the schema.
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
	run transactions // DB, except in tests

	// The constants, except in tests.
	maxSlice     int
	maxSliceRest time.Duration
}

// transactions is what runs transactions.
type transactions interface {
	Update(context.Context, func(*txn.Tx) error) error
	UpdateLong(context.Context, func(*txn.Tx) error) error
	View(context.Context, func(*txn.Tx) error) error
	ViewLong(context.Context, func(*txn.Tx) error) error
	Scratch(context.Context, func(*txn.Tx) error) error
}

// Tx is a transaction, with a method for each statement about a resource.
type Tx struct {
	*txn.Tx
	// How this transaction reads a store's catalog, once that is known.
	catalogKnown, catalogOverlaid bool
	catalogStore                  string
}

// Open opens the database that the URL names and brings its schema up to date; see
// [txn.Open].
func Open(ctx context.Context, url string) (*DB, error) {
	return opened(txn.Open(ctx, url, migrations))
}

// OpenExisting is Open for a database that has to exist; see [txn.OpenExisting].
func OpenExisting(ctx context.Context, url string) (*DB, error) {
	return opened(txn.OpenExisting(ctx, url, migrations))
}

func opened(d *txn.DB, err error) (*DB, error) {
	if err != nil {
		return nil, err
	}
	return New(d), nil
}

// New returns the resources of a database that is open.
func New(d *txn.DB) *DB {
	return &DB{DB: d, run: d, maxSlice: maxSlice, maxSliceRest: maxSliceRest}
}

// Migrations has the files that make the schema, for [txn.Open].
func Migrations() fs.FS { return migrations }

// Update runs fn in a transaction and commits it; see [txn.DB.Update].
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return db.run.Update(ctx, wrap(fn))
}

// UpdateLong is Update for one long piece of work; see [txn.DB.UpdateLong].
func (db *DB) UpdateLong(ctx context.Context, fn func(*Tx) error) error {
	return db.run.UpdateLong(ctx, wrap(fn))
}

// View runs fn in a read-only transaction; see [txn.DB.View].
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.run.View(ctx, wrap(fn))
}

// ViewLong is View for one long piece of work; see [txn.DB.ViewLong].
func (db *DB) ViewLong(ctx context.Context, fn func(*Tx) error) error {
	return db.run.ViewLong(ctx, wrap(fn))
}

// scratch runs fn on a connection that may write temporary tables; see
// [txn.DB.Scratch].
func (db *DB) scratch(ctx context.Context, fn func(*Tx) error) error {
	return db.run.Scratch(ctx, wrap(fn))
}

func wrap(fn func(*Tx) error) func(*txn.Tx) error {
	return func(t *txn.Tx) error { return fn(&Tx{Tx: t}) }
}

// snapshot runs fn on a scratch connection: everything that it reads of a store is
// of one moment.
func (t *Tx) snapshot(fn func() error) error {
	return t.Snapshot(func() error {
		t.forgetCatalog()
		return fn()
	})
}
