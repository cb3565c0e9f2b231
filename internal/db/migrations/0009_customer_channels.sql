-- +goose Up

-- The channel that a customer was created in. It is 1, the channel that every store
-- has, in rows that an older version of Cohort inserts.
ALTER TABLE customers ADD COLUMN origin_channel_id BIGINT NOT NULL DEFAULT 1;

-- The channels that a customer may sign in to, as a JSON array of ids. It is '' for a
-- customer of all channels.
ALTER TABLE customers ADD COLUMN channel_ids TEXT NOT NULL DEFAULT '';
