-- +goose Up

-- Copies of what a store contains. The rows of a copy are in the tables of the store, under
-- a key of its own. The row of that key in stores holds the settings of the time; its
-- date_deleted is -1, which reads, sweeps and expiry ignore, and its public_hash is the key
-- of the store.
CREATE TABLE snapshots (
  store_hash    TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  name          TEXT   NOT NULL, -- '': what a reset goes back to
  snapshot_hash TEXT   NOT NULL, -- the key of the copy
  row_count     BIGINT NOT NULL,
  date_created  BIGINT NOT NULL,
  PRIMARY KEY (store_hash, name)
);
