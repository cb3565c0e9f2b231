-- +goose Up

-- A store's hash is what clients call it, and stores.hash is the key that all of
-- its rows are kept under. They are the same for the first store of a hash. A
-- store that is made after it was deleted has another key, so that nothing that
-- is remembered of the earlier one can be taken for its own.
ALTER TABLE stores ADD COLUMN public_hash TEXT; -- NULL: hash, as for a store that an older version has made
ALTER TABLE stores ADD COLUMN date_deleted BIGINT NOT NULL DEFAULT 0; -- 0: it is there; else its rows are being swept

CREATE UNIQUE INDEX stores_by_public_hash ON stores (coalesce(public_hash, hash)) WHERE date_deleted = 0;
CREATE INDEX stores_deleted ON stores (date_deleted) WHERE date_deleted > 0;

-- How many stores there have been of each hash. Rows outlive their stores, so
-- that no key comes back.
CREATE TABLE store_generations (
  hash       TEXT   NOT NULL PRIMARY KEY,
  generation BIGINT NOT NULL
);
INSERT INTO store_generations (hash, generation) SELECT hash, 1 FROM stores;
