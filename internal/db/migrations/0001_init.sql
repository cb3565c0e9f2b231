-- +goose Up

-- Stores and tokens are looked up before the store of a request is known, so only
-- their primary keys do not begin with store_hash.
CREATE TABLE stores (
  hash         TEXT    NOT NULL PRIMARY KEY,
  plan         TEXT    NOT NULL,
  quota        BIGINT  NOT NULL, -- 0: the quota of the plan
  at_once      BIGINT  NOT NULL,
  date_created BIGINT  NOT NULL  -- Unix milliseconds, as every date here
);

CREATE TABLE tokens (
  hash         TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of the secret, hex
  id           TEXT    NOT NULL UNIQUE,
  store_hash   TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  name         TEXT    NOT NULL,
  scopes       TEXT    NOT NULL, -- separated by one space
  date_created BIGINT  NOT NULL
);
CREATE INDEX tokens_by_store ON tokens (store_hash);

-- The last id allocated, per store and kind. It never decreases, so the id of a
-- deleted row is not used again.
CREATE TABLE counters (
  store_hash   TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  kind         TEXT    NOT NULL,
  last_id      BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, kind)
);

CREATE TABLE customer_groups (
  store_hash          TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id                  BIGINT  NOT NULL,
  name                TEXT    NOT NULL,
  name_folded         TEXT    NOT NULL, -- see fold.go
  category_access     TEXT    NOT NULL, -- JSON, decoded in Go and never queried
  discount_rules      TEXT    NOT NULL, -- JSON, decoded in Go and never queried
  is_default          BOOLEAN NOT NULL,
  is_group_for_guests BOOLEAN NOT NULL,
  date_created        BIGINT  NOT NULL,
  date_modified       BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX customer_groups_one_default ON customer_groups (store_hash) WHERE is_default;
CREATE UNIQUE INDEX customer_groups_one_for_guests ON customer_groups (store_hash) WHERE is_group_for_guests;
