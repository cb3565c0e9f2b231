-- +goose Up

-- What is left to do outside the database after a change. A row is written in
-- the transaction of the change that it follows, and deleted when it is done.
CREATE TABLE jobs (
  store_hash   TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id           BIGINT NOT NULL,
  kind         TEXT   NOT NULL,
  subject      TEXT   NOT NULL, -- what it is about; of a subject there is one job of a kind
  version      BIGINT NOT NULL, -- of the payload; a later change puts a newer one in its place
  done_version BIGINT NOT NULL, -- the newest that is through, though a newer one was there by then; 0 none
  state        TEXT   NOT NULL, -- waiting, dead
  attempt      BIGINT NOT NULL, -- how many have failed
  run_at       BIGINT NOT NULL,
  leased_by    TEXT   NOT NULL, -- who is at it, '' nobody
  lease_until  BIGINT NOT NULL,
  payload      TEXT   NOT NULL, -- JSON
  last_error   TEXT   NOT NULL,
  date_created BIGINT NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX jobs_by_subject ON jobs (store_hash, kind, subject);
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'waiting';
