-- +goose Up

-- Variant options and modifiers of products. They are one table, so that an option and a
-- modifier never share an id or, on one product, a name. An import changes products and
-- leaves these rows alone.
CREATE TABLE product_options (
  store_hash   TEXT    NOT NULL,
  id           BIGINT  NOT NULL,
  product_id   BIGINT  NOT NULL,
  is_modifier  BOOLEAN NOT NULL,
  display_name TEXT    NOT NULL,
  name_folded  TEXT    NOT NULL,
  type         TEXT    NOT NULL,
  details      TEXT    NOT NULL, -- JSON, decoded in Go and never queried
  PRIMARY KEY (store_hash, id),
  FOREIGN KEY (store_hash, product_id) REFERENCES products (store_hash, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX product_options_by_name ON product_options (store_hash, product_id, name_folded);
CREATE INDEX product_options_by_product ON product_options (store_hash, product_id, id);

-- The values that options and modifiers offer.
CREATE TABLE option_choices (
  store_hash  TEXT    NOT NULL,
  id          BIGINT  NOT NULL,
  option_id   BIGINT  NOT NULL,
  label       TEXT    NOT NULL,
  is_default  BOOLEAN NOT NULL,
  -- What the value does to the price. It is also in the details; these columns are for a
  -- computation of prices, which decodes no documents.
  price_adjuster TEXT   NOT NULL, -- relative or percentage; '': none
  price_amount   BIGINT NOT NULL, -- ten-thousandths of the currency or of a percent; may be negative
  details        TEXT   NOT NULL, -- JSON, decoded in Go and never queried
  PRIMARY KEY (store_hash, id),
  FOREIGN KEY (store_hash, option_id) REFERENCES product_options (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX option_choices_by_option ON option_choices (store_hash, option_id, id);
