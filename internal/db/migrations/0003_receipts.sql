-- +goose Up

-- The last transaction that each connection of a node has written in, by which
-- the node finds out whether it was committed when the connection was lost in
-- that moment. Empty in a file, which has no connections to lose.
CREATE TABLE receipts (
  store_hash    TEXT   NOT NULL, -- not a reference: it outlives its store
  slot          TEXT   NOT NULL,
  number        BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  PRIMARY KEY (store_hash, slot)
);
