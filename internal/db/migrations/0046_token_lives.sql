-- +goose Up

-- When a secret ends; 0: never. The hour in which it was last used; 0: not known.
ALTER TABLE tokens ADD COLUMN date_expires BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN date_used BIGINT NOT NULL DEFAULT 0;

-- The id of the token, if the row is an earlier secret of it; '': the row is the token itself.
-- Other tables name the token.
ALTER TABLE tokens ADD COLUMN token_id TEXT NOT NULL DEFAULT '';
