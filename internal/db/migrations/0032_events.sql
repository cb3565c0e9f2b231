-- +goose Up

-- Whether changes of the store are recorded as events.
ALTER TABLE stores ADD COLUMN events BOOLEAN NOT NULL DEFAULT FALSE;

-- What has changed in a store, in the order of the numbers.
CREATE TABLE events (
  store_hash   TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  number       BIGINT NOT NULL,
  date_created BIGINT NOT NULL, -- by the clock of the store
  kind         TEXT   NOT NULL,
  group_id     BIGINT NOT NULL, -- 0: none
  customer_id  BIGINT NOT NULL, -- 0: none
  actor        TEXT   NOT NULL,
  request_id   TEXT   NOT NULL, -- '': none
  changes      TEXT   NOT NULL, -- a JSON object
  PRIMARY KEY (store_hash, number)
);

-- Events without a number, on an engine that commits transactions in another order than
-- they allocate numbers. They get a number after their commit, when they move to events.
CREATE TABLE event_inbox (
  store_hash   TEXT      NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  ticket       BIGSERIAL NOT NULL, -- of two changes of which one waited for the other, the later one has the higher
  date_created BIGINT    NOT NULL,
  kind         TEXT      NOT NULL,
  group_id     BIGINT    NOT NULL,
  customer_id  BIGINT    NOT NULL,
  actor        TEXT      NOT NULL,
  request_id   TEXT      NOT NULL,
  changes      TEXT      NOT NULL,
  PRIMARY KEY (store_hash, ticket)
);
