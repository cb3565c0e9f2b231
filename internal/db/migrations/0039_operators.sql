-- +goose Up

-- The people who may use the console.
CREATE TABLE operators (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE, -- the SHA-256 of the secret in hex
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    read_only BOOLEAN NOT NULL,
    date_created BIGINT NOT NULL,
    date_used BIGINT NOT NULL -- 0: never
);

-- Their sessions, by the SHA-256 of the secret in the cookie, in hex.
CREATE TABLE console_sessions (
    hash TEXT NOT NULL PRIMARY KEY,
    operator_id TEXT NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
    date_created BIGINT NOT NULL,
    date_seen BIGINT NOT NULL
);
CREATE INDEX console_sessions_by_operator ON console_sessions (operator_id, date_created);
CREATE INDEX console_sessions_by_date ON console_sessions (date_seen);
