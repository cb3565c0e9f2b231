-- +goose Up

-- Clients name a store by its hash, which is now public_hash. Column stores.hash
-- holds the store's key, which all of its rows have as store_hash. For the first
-- store of a hash, key and hash are equal. A recreated store has a new key, so that
-- cached data and left-over rows of the earlier store do not belong to it.
ALTER TABLE stores ADD COLUMN public_hash TEXT; -- NULL: equal to hash, for stores that an older version created
ALTER TABLE stores ADD COLUMN date_deleted BIGINT NOT NULL DEFAULT 0; -- 0: not deleted; otherwise the rows of the store are being swept

CREATE UNIQUE INDEX stores_by_public_hash ON stores (coalesce(public_hash, hash)) WHERE date_deleted = 0;
CREATE INDEX stores_deleted ON stores (date_deleted) WHERE date_deleted > 0;

-- The number of stores that each hash has had. Rows outlive their stores, so that
-- no key is used again.
CREATE TABLE store_generations (
  hash       TEXT   NOT NULL PRIMARY KEY,
  generation BIGINT NOT NULL
);
INSERT INTO store_generations (hash, generation) SELECT hash, 1 FROM stores;
