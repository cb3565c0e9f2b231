-- +goose Up

CREATE TABLE brands (
  store_hash  TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id          BIGINT NOT NULL,
  name        TEXT   NOT NULL,
  name_folded TEXT   NOT NULL,
  page_title  TEXT   NOT NULL, -- also in the details; lists filter by it
  details     TEXT   NOT NULL, -- JSON, decoded in Go and never queried
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX brands_by_name ON brands (store_hash, name_folded);
