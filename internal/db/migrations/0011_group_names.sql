-- +goose Up

-- The names of a store's groups are unique, without regard to case. Older versions
-- accepted a name again: of such groups, the one with the lowest id has the
-- name_copy 0, and each of the others has its id. Every write stores 0, so that the
-- index rejects another group of a name that exists. Nodes of an older version do
-- not name the column, and get the 0 by default.
ALTER TABLE customer_groups ADD COLUMN name_copy BIGINT NOT NULL DEFAULT 0;
UPDATE customer_groups SET name_copy = id WHERE (store_hash, id) IN (
  SELECT store_hash, id
  FROM (SELECT store_hash, id, row_number() OVER (PARTITION BY store_hash, name_folded ORDER BY id) AS n FROM customer_groups) AS numbered
  WHERE n > 1
);
CREATE UNIQUE INDEX customer_groups_by_name ON customer_groups (store_hash, name_folded, name_copy);
