-- +goose Up

-- Commit receipts: the number of the last writing transaction of each connection of
-- a node. When a node loses a connection during a commit, it reads this row to find
-- out whether the transaction was committed. The table is empty in SQLite, which
-- has no connections to lose.
CREATE TABLE receipts (
  store_hash    TEXT   NOT NULL, -- no foreign key: a receipt outlives its store
  slot          TEXT   NOT NULL,
  number        BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  PRIMARY KEY (store_hash, slot)
);
