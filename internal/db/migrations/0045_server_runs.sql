-- +goose Up

-- The name of the server's run, in one row. PostgreSQL empties the table when it recovers from
-- a crash, and when a standby is promoted; see internal/txn/postgres_same_server.go. The table
-- is empty in SQLite, which loses no counter.
CREATE /* unlogged */ TABLE server_runs (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  run TEXT    NOT NULL
);
