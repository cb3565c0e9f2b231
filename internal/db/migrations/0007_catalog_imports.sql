-- +goose Up

-- The import into a store's catalog that is between its check and its end. While
-- it is staging, its rows are in the tables below and nobody reads them. Once it
-- is published they take the place of the catalog's rows with the same ids, for
-- everybody who reads, until they are merged into the catalog.
CREATE TABLE catalog_imports (
  store_hash  TEXT   NOT NULL PRIMARY KEY REFERENCES stores (hash) ON DELETE CASCADE,
  state       TEXT   NOT NULL, -- staging, abandoned, published
  owner       TEXT   NOT NULL, -- who works on it; each lease has a name of its own
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
