-- +goose Up

-- The details of an import: of those categories, products and variants for which the file
-- has further fields. A row replaces the row of category_details, product_details or
-- variant_details; one with empty details, and brand 0, stands for none. They have the
-- columns of these tables, and the size of the details in bytes, which splits a merge into
-- batches.
CREATE TABLE incoming_category_details (
  store_hash        TEXT    NOT NULL REFERENCES catalog_imports (store_hash) ON DELETE CASCADE,
  category_id       BIGINT  NOT NULL,
  is_visible        BOOLEAN NOT NULL,
  sort_order        BIGINT  NOT NULL,
  page_title        TEXT    NOT NULL,
  page_title_folded TEXT    NOT NULL,
  url               TEXT    NOT NULL,
  details           TEXT    NOT NULL,
  size              BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, category_id)
);

CREATE TABLE incoming_product_details (
  store_hash              TEXT    NOT NULL REFERENCES catalog_imports (store_hash) ON DELETE CASCADE,
  product_id              BIGINT  NOT NULL,
  brand_id                BIGINT  NOT NULL,
  is_visible              BOOLEAN NOT NULL,
  is_featured             BOOLEAN NOT NULL,
  is_free_shipping        BOOLEAN NOT NULL,
  condition               TEXT    NOT NULL,
  availability            TEXT    NOT NULL,
  inventory_tracking      TEXT    NOT NULL,
  inventory_level         BIGINT  NOT NULL,
  inventory_warning_level BIGINT  NOT NULL,
  upc                     TEXT    NOT NULL,
  mpn                     TEXT    NOT NULL,
  details                 TEXT    NOT NULL,
  size                    BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, product_id)
);

CREATE TABLE incoming_variant_details (
  store_hash TEXT   NOT NULL REFERENCES catalog_imports (store_hash) ON DELETE CASCADE,
  variant_id BIGINT NOT NULL,
  upc        TEXT   NOT NULL,
  details    TEXT   NOT NULL,
  size       BIGINT NOT NULL,
  PRIMARY KEY (store_hash, variant_id)
);
CREATE INDEX incoming_variant_details_by_upc ON incoming_variant_details (store_hash, upc, variant_id) WHERE upc <> '';
