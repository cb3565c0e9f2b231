-- +goose Up

-- The brand of products, and the fields on which neither prices nor access depend; see
-- category_details. A brand that was deleted may still be named.
CREATE TABLE product_details (
  store_hash              TEXT    NOT NULL,
  product_id              BIGINT  NOT NULL,
  brand_id                BIGINT  NOT NULL, -- 0: none
  -- These columns are also in the details. Lists filter and sort by them.
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
  details                 TEXT    NOT NULL, -- JSON, decoded in Go and never queried
  size                    BIGINT  NOT NULL, -- of the details, in bytes
  PRIMARY KEY (store_hash, product_id),
  FOREIGN KEY (store_hash, product_id) REFERENCES products (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX product_details_by_brand ON product_details (store_hash, brand_id, product_id);
