-- +goose Up

-- The answers to requests with an idempotency key, for 24 hours. The transaction of the
-- change writes the row. A key is of one token, so that an app never gets the answer to
-- another one. Ids count up within the store, in the order of the sweep.
CREATE TABLE idempotency_keys (
  store_hash   TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id           BIGINT NOT NULL,
  token_id     TEXT   NOT NULL,
  request_key  TEXT   NOT NULL,
  fingerprint  TEXT   NOT NULL, -- of the request, to tell another one with the same key
  status       BIGINT NOT NULL,
  header       TEXT   NOT NULL, -- JSON
  body         TEXT   NOT NULL,
  busy_until   BIGINT NOT NULL, -- the answer may change until then, by the system clock
  date_created BIGINT NOT NULL, -- by the clock of the store
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX idempotency_keys_by_key ON idempotency_keys (store_hash, token_id, request_key);
