package main

import (
	"context"
	"database/sql" //nolint:depguard // to measure SQLite without anything of Cohort
	"errors"
	"strings"

	_ "modernc.org/sqlite" //nolint:depguard // to measure SQLite without anything of Cohort
)

// openCommit returns a function that inserts a row of the size of a group and
// commits it, with the settings that Cohort promises durability with and no
// index beyond the key.
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
	// A statement outside of a transaction is one of its own, which is the
	// least that a commit can cost.
	insert, err := db.PrepareContext(ctx, insertText) //nolint:sqlclosecheck // ends with the process, as the database does
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := insert.ExecContext(ctx, name, rest)
		return err
	}, nil
}

const insertText = "INSERT INTO groups (name, rest) VALUES (?, ?)"

// The size of what Cohort keeps of the group that the other rows create.
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
