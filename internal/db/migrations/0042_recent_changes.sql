-- +goose Up

-- What the transactions of the last seconds have changed, for the caches of the nodes of
-- PostgreSQL: one row per transaction. The row of transaction 0 has the number of a
-- transaction instead: rows of transactions before that one may have been deleted. The
-- table is empty in SQLite, where one process serves a file.
CREATE /* unlogged */ TABLE recent_changes (
  txid    BIGINT NOT NULL,
  changes TEXT   NOT NULL
);
CREATE INDEX recent_changes_by_txid ON recent_changes (txid);

-- Whether the writer of a receipt also writes to recent_changes. Versions from before do
-- not, and leave the column out.
ALTER TABLE receipts ADD COLUMN records_changes BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX receipts_without_changes ON receipts (store_hash) WHERE NOT records_changes;
