-- +goose Up

-- The import into a store's catalog, from the end of its checks until it is merged.
-- While it is staging, its rows are written to the tables below and invisible to
-- readers. Once it is published, readers see its rows instead of the catalog's rows
-- with the same ids, until they are merged into the catalog.
CREATE TABLE catalog_imports (
  store_hash  TEXT   NOT NULL PRIMARY KEY REFERENCES stores (hash) ON DELETE CASCADE,
  state       TEXT   NOT NULL, -- staging, abandoned, published
  owner       TEXT   NOT NULL, -- the owner of the lease; each lease has a unique name
  lease_until BIGINT NOT NULL
);

CREATE TABLE incoming_categories (
  store_hash  TEXT   NOT NULL REFERENCES catalog_imports (store_hash) ON DELETE CASCADE,
  id          BIGINT NOT NULL,
  parent_id   BIGINT NOT NULL,
  name        TEXT   NOT NULL,
  name_folded TEXT   NOT NULL,
  PRIMARY KEY (store_hash, id)
);

CREATE TABLE incoming_products (
  store_hash      TEXT   NOT NULL REFERENCES catalog_imports (store_hash) ON DELETE CASCADE,
  id              BIGINT NOT NULL,
  name            TEXT   NOT NULL,
  name_folded     TEXT   NOT NULL,
  type            TEXT   NOT NULL,
  sku             TEXT   NOT NULL,
  weight          BIGINT NOT NULL,
  price           BIGINT NOT NULL,
  sale_price      BIGINT NOT NULL,
  retail_price    BIGINT NOT NULL,
  map_price       BIGINT NOT NULL,
  bulk_tiers      TEXT   NOT NULL,
  base_variant_id BIGINT NOT NULL,
  date_created    BIGINT NOT NULL,
  date_modified   BIGINT NOT NULL,
  PRIMARY KEY (store_hash, id)
);

-- All categories of each product that is in incoming_products.
CREATE TABLE incoming_product_categories (
  store_hash  TEXT   NOT NULL REFERENCES catalog_imports (store_hash) ON DELETE CASCADE,
  product_id  BIGINT NOT NULL,
  category_id BIGINT NOT NULL,
  position    BIGINT NOT NULL,
  PRIMARY KEY (store_hash, product_id, category_id)
);

CREATE TABLE incoming_variants (
  store_hash    TEXT   NOT NULL REFERENCES catalog_imports (store_hash) ON DELETE CASCADE,
  id            BIGINT NOT NULL,
  product_id    BIGINT NOT NULL,
  sku           TEXT   NOT NULL,
  price         BIGINT NOT NULL,
  sale_price    BIGINT NOT NULL,
  retail_price  BIGINT NOT NULL,
  map_price     BIGINT NOT NULL,
  option_values TEXT   NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE INDEX incoming_variants_by_product ON incoming_variants (store_hash, product_id, id);
CREATE INDEX incoming_variants_by_sku ON incoming_variants (store_hash, sku) WHERE sku <> '';
