-- +goose Up

-- The orders of lists of customers. A page by cursor reads these indexes only.
CREATE INDEX customers_by_date_created ON customers (store_hash, date_created, id);
CREATE INDEX customers_by_date_modified ON customers (store_hash, date_modified, id);
CREATE INDEX customers_by_last_name ON customers (store_hash, lower(last_name /* byte order */), id);
