package main

import (
	"context"
	"database/sql" //nolint:depguard // to measure SQLite without anything of Cohort
	"errors"
	"strings"

	_ "modernc.org/sqlite" //nolint:depguard // to measure SQLite without anything of Cohort
)

// openCommit returns a function that inserts and commits a row of the size of a
// group, with the durability settings of Cohort and no index except the key.
func openCommit(ctx context.Context, path string, present int) (func() error, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL, rest TEXT NOT NULL)"); err != nil {
		return nil, err
	}
	if err := fill(ctx, db, present); err != nil {
		return nil, err
	}
	// A statement outside of a transaction is its own transaction, which is the
	// cheapest commit.
	insert, err := db.PrepareContext(ctx, insertText) //nolint:sqlclosecheck // closed at the end of the process, like the database
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := insert.ExecContext(ctx, name, rest)
		return err
	}, nil
}

const insertText = "INSERT INTO groups (name, rest) VALUES (?, ?)"

// The size of the stored form of the group that the other rows create.
var (
	name = "Wholesale 0000000001"
	rest = strings.Repeat("x", 280)
)

func fill(ctx context.Context, db *sql.DB, present int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for range present {
		if _, err := tx.ExecContext(ctx, insertText, name, rest); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
