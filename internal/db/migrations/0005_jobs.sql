-- +goose Up

-- The outbox: deliveries to other systems that follow from a change. A row is
-- inserted in the transaction of the change, and deleted after the delivery.
CREATE TABLE jobs (
  store_hash   TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id           BIGINT NOT NULL,
  kind         TEXT   NOT NULL,
  subject      TEXT   NOT NULL, -- what the job is about; a store has at most one job of a kind and subject
  version      BIGINT NOT NULL, -- of the payload; a later change replaces the payload and increases the version
  done_version BIGINT NOT NULL, -- the newest delivered version, if a newer one replaced the payload meanwhile; 0: none
  state        TEXT   NOT NULL, -- waiting, dead
  attempt      BIGINT NOT NULL, -- the number of failed attempts
  run_at       BIGINT NOT NULL,
  leased_by    TEXT   NOT NULL, -- the worker that runs the job, '' if none
  lease_until  BIGINT NOT NULL,
  payload      TEXT   NOT NULL, -- JSON
  last_error   TEXT   NOT NULL,
  date_created BIGINT NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX jobs_by_subject ON jobs (store_hash, kind, subject);
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'waiting';
