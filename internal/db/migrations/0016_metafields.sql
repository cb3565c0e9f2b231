-- +goose Up

CREATE TABLE customer_metafields (
  store_hash     TEXT   NOT NULL,
  id             BIGINT NOT NULL,
  customer_id    BIGINT NOT NULL,
  owner          TEXT   NOT NULL, -- the id of a token
  namespace      TEXT   NOT NULL,
  name           TEXT   NOT NULL, -- the key
  value          TEXT   NOT NULL,
  description    TEXT   NOT NULL,
  permission_set TEXT   NOT NULL,
  date_created   BIGINT NOT NULL,
  date_modified  BIGINT NOT NULL,
  PRIMARY KEY (store_hash, id),
  FOREIGN KEY (store_hash, customer_id) REFERENCES customers (store_hash, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX customer_metafields_by_key ON customer_metafields (store_hash, customer_id, owner, namespace, name);
CREATE INDEX customer_metafields_by_customer ON customer_metafields (store_hash, customer_id, id);
