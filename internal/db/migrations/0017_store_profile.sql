-- +goose Up

-- What a store tells about itself. An empty text stands for a default, which the code
-- knows; a node of an older version creates stores with empty texts.
ALTER TABLE stores ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN domain TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN timezone TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN first_name TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN last_name TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN address_type TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN country TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN language_selection TEXT NOT NULL DEFAULT '';
