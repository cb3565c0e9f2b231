-- +goose Up

-- Webhooks. A hook belongs to the token that created it.
CREATE TABLE hooks (
  store_hash     TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id             BIGINT  NOT NULL,
  token_id       TEXT    NOT NULL,
  scope          TEXT    NOT NULL,
  destination    TEXT    NOT NULL,
  is_active      BOOLEAN NOT NULL,
  is_deactivated BOOLEAN NOT NULL, -- Cohort has set is_active to false
  headers        TEXT    NOT NULL, -- a JSON object; '': null
  date_created   BIGINT  NOT NULL,
  date_modified  BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX hooks_by_destination ON hooks (store_hash, token_id, scope, destination);

-- Where to send mail about the hooks of a token.
CREATE TABLE hook_contacts (
  store_hash TEXT NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  token_id   TEXT NOT NULL,
  emails     TEXT NOT NULL, -- a JSON array
  PRIMARY KEY (store_hash, token_id)
);

-- The keys that sign the deliveries of the hooks of a token.
CREATE TABLE client_secrets (
  store_hash   TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  token_id     TEXT   NOT NULL,
  secret       TEXT   NOT NULL,
  date_created BIGINT NOT NULL,
  date_expires BIGINT NOT NULL, -- 0: never, for the current one
  PRIMARY KEY (store_hash, token_id, secret)
);

-- The number of the last event that was looked at for a hook. Each event up to it is
-- delivered, concerns the hook not, or has a row in hook_deliveries.
CREATE TABLE hook_positions (
  store_hash TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  hook_id    BIGINT NOT NULL,
  number     BIGINT NOT NULL,
  date_used  BIGINT NOT NULL, -- of the last delivery
  PRIMARY KEY (store_hash, hook_id)
);

-- The number of the last event for which the hooks of a store were woken.
CREATE TABLE hook_dispatch (
  store_hash TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  number     BIGINT NOT NULL,
  PRIMARY KEY (store_hash)
);

-- Deliveries: those that wait for another attempt, and the log of the others.
CREATE TABLE hook_deliveries (
  store_hash    TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id            BIGINT NOT NULL,
  hook_id       BIGINT NOT NULL,
  event_number  BIGINT NOT NULL, -- of the first event; 0: of no event
  subject       TEXT   NOT NULL,
  scope         TEXT   NOT NULL,
  body          TEXT   NOT NULL,
  state         TEXT   NOT NULL, -- waiting, delivered, failed
  attempt       BIGINT NOT NULL, -- how many were made
  run_at        BIGINT NOT NULL, -- of the next attempt, by the clock of the store; 0: none
  status        BIGINT NOT NULL, -- of the last response; 0: none
  request       TEXT   NOT NULL, -- the header of the last attempt, a JSON object
  response      TEXT   NOT NULL, -- the beginning of its body
  error         TEXT   NOT NULL,
  duration      BIGINT NOT NULL, -- of the last attempt, in milliseconds
  date_created  BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE INDEX hook_deliveries_by_hook ON hook_deliveries (store_hash, hook_id, id);
CREATE INDEX hook_deliveries_waiting ON hook_deliveries (store_hash, hook_id, run_at, id) WHERE state = 'waiting';

-- Destinations of a token to which nothing is delivered for some minutes.
CREATE TABLE hook_blocks (
  store_hash    TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  token_id      TEXT   NOT NULL,
  domain        TEXT   NOT NULL,
  blocked_until BIGINT NOT NULL, -- by the clock of the store
  reasons       TEXT   NOT NULL, -- a JSON array
  PRIMARY KEY (store_hash, token_id, domain)
);
