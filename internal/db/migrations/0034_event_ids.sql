-- +goose Up

-- For how many days events stay, and how many of them; 0: the default.
ALTER TABLE stores ADD COLUMN event_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stores ADD COLUMN event_count BIGINT NOT NULL DEFAULT 0;

-- Whether a webhook of the store is active, so that changes are recorded for it.
ALTER TABLE stores ADD COLUMN hooks BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE events ADD COLUMN product_id BIGINT NOT NULL DEFAULT 0; -- 0: none
ALTER TABLE events ADD COLUMN price_list_id BIGINT NOT NULL DEFAULT 0; -- 0: none
ALTER TABLE events ADD COLUMN ids TEXT NOT NULL DEFAULT '{}'; -- a JSON object: other ids
ALTER TABLE events ADD COLUMN actor_name TEXT NOT NULL DEFAULT ''; -- '': none
ALTER TABLE events ADD COLUMN reason TEXT NOT NULL DEFAULT ''; -- '': none

ALTER TABLE event_inbox ADD COLUMN product_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE event_inbox ADD COLUMN price_list_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE event_inbox ADD COLUMN ids TEXT NOT NULL DEFAULT '{}';
ALTER TABLE event_inbox ADD COLUMN actor_name TEXT NOT NULL DEFAULT '';
ALTER TABLE event_inbox ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- The history of one group, customer, product or price list.
CREATE INDEX events_by_group ON events (store_hash, group_id, number) WHERE group_id <> 0;
CREATE INDEX events_by_customer ON events (store_hash, customer_id, number) WHERE customer_id <> 0;
CREATE INDEX events_by_product ON events (store_hash, product_id, number) WHERE product_id <> 0;
CREATE INDEX events_by_price_list ON events (store_hash, price_list_id, number) WHERE price_list_id <> 0;
