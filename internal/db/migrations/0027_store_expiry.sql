-- +goose Up

-- When a store is deleted with everything in it; 0: never.
ALTER TABLE stores ADD COLUMN date_expires BIGINT NOT NULL DEFAULT 0;
CREATE INDEX stores_expiring ON stores (date_expires) WHERE date_expires > 0 AND date_deleted = 0;
