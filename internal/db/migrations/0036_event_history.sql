-- +goose Up

-- Since when the events of a store are complete, by its clock; 0: not at all.
ALTER TABLE stores ADD COLUMN events_since BIGINT NOT NULL DEFAULT 0;
UPDATE stores SET events_since = coalesce((SELECT min(date_created) FROM events WHERE store_hash = stores.hash), 0) WHERE events;

-- A history ends where a reset has replaced everything.
CREATE INDEX events_of_resets ON events (store_hash, number) WHERE kind = 'store.replaced';

-- The history of members looks for deleted groups.
CREATE INDEX events_of_deleted_groups ON events (store_hash, number) WHERE kind = 'customerGroup.deleted';
