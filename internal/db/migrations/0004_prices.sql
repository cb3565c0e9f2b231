-- +goose Up

ALTER TABLE stores ADD COLUMN catalog TEXT NOT NULL DEFAULT 'external';
ALTER TABLE stores ADD COLUMN currency TEXT NOT NULL DEFAULT 'USD';

CREATE TABLE categories (
  store_hash  TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id          BIGINT NOT NULL,
  parent_id   BIGINT NOT NULL, -- 0: at the top
  name        TEXT   NOT NULL,
  name_folded TEXT   NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE INDEX categories_by_parent ON categories (store_hash, parent_id, id);

-- Prices are integers in ten-thousandths, which both engines compare and sort
-- exactly. -1 is a price that is not set.
CREATE TABLE products (
  store_hash      TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id              BIGINT NOT NULL,
  name            TEXT   NOT NULL,
  name_folded     TEXT   NOT NULL,
  type            TEXT   NOT NULL,
  sku             TEXT   NOT NULL,
  weight          BIGINT NOT NULL, -- ten-thousandths of the store's unit
  price           BIGINT NOT NULL,
  sale_price      BIGINT NOT NULL, -- 0: none, also in the next two columns
  retail_price    BIGINT NOT NULL,
  map_price       BIGINT NOT NULL,
  bulk_tiers      TEXT   NOT NULL, -- JSON, decoded in Go and never queried
  base_variant_id BIGINT NOT NULL,
  date_created    BIGINT NOT NULL,
  date_modified   BIGINT NOT NULL,
  PRIMARY KEY (store_hash, id)
);

CREATE TABLE product_categories (
  store_hash  TEXT   NOT NULL,
  product_id  BIGINT NOT NULL,
  category_id BIGINT NOT NULL,
  position    BIGINT NOT NULL, -- the order in which the client listed the categories
  PRIMARY KEY (store_hash, product_id, category_id),
  FOREIGN KEY (store_hash, product_id) REFERENCES products (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX product_categories_by_category ON product_categories (store_hash, category_id, product_id);

CREATE TABLE variants (
  store_hash    TEXT   NOT NULL,
  id            BIGINT NOT NULL,
  product_id    BIGINT NOT NULL,
  sku           TEXT   NOT NULL,
  price         BIGINT NOT NULL, -- -1: the product's, also in the next three columns
  sale_price    BIGINT NOT NULL,
  retail_price  BIGINT NOT NULL,
  map_price     BIGINT NOT NULL,
  option_values TEXT   NOT NULL, -- JSON
  PRIMARY KEY (store_hash, id),
  FOREIGN KEY (store_hash, product_id) REFERENCES products (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX variants_by_product ON variants (store_hash, product_id, id);
CREATE UNIQUE INDEX variants_by_sku ON variants (store_hash, sku) WHERE sku <> '';

CREATE TABLE price_lists (
  store_hash    TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id            BIGINT  NOT NULL,
  name          TEXT    NOT NULL,
  name_folded   TEXT    NOT NULL,
  active        BOOLEAN NOT NULL,
  date_created  BIGINT  NOT NULL,
  date_modified BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX price_lists_by_name ON price_lists (store_hash, name);

CREATE TABLE price_records (
  store_hash    TEXT   NOT NULL,
  price_list_id BIGINT NOT NULL,
  variant_id    BIGINT NOT NULL,
  currency      TEXT   NOT NULL, -- three capital letters
  price         BIGINT NOT NULL, -- -1: the catalog's, also in the next three columns
  sale_price    BIGINT NOT NULL,
  retail_price  BIGINT NOT NULL,
  map_price     BIGINT NOT NULL,
  bulk_tiers    TEXT   NOT NULL, -- JSON
  date_created  BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  PRIMARY KEY (store_hash, price_list_id, variant_id, currency),
  FOREIGN KEY (store_hash, price_list_id) REFERENCES price_lists (store_hash, id) ON DELETE CASCADE,
  FOREIGN KEY (store_hash, variant_id) REFERENCES variants (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX price_records_by_variant ON price_records (store_hash, variant_id);

-- The list is no foreign key: with an external catalog, a group's rule may name a
-- list that Cohort does not have.
CREATE TABLE price_list_assignments (
  store_hash        TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id                BIGINT NOT NULL,
  price_list_id     BIGINT NOT NULL,
  customer_group_id BIGINT NOT NULL, -- 0: everybody
  channel_id        BIGINT NOT NULL, -- 0: every channel
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX price_list_assignments_by_target ON price_list_assignments (store_hash, customer_group_id, channel_id);
CREATE INDEX price_list_assignments_by_list ON price_list_assignments (store_hash, price_list_id);

-- A group's price_list rule and the assignment of the list to the group must match,
-- so each such rule gets an assignment. A price_list rule is always the only rule
-- of its group, so its JSON always has this form.
INSERT INTO price_list_assignments (store_hash, id, price_list_id, customer_group_id, channel_id)
  SELECT store_hash, row_number() OVER (PARTITION BY store_hash ORDER BY id),
    CAST(replace(replace(discount_rules, '[{"type":"price_list","target":', ''), '}]', '') AS BIGINT), id, 0
  FROM customer_groups WHERE discount_rules LIKE '[{"type":"price_list","target":%';
INSERT INTO counters (store_hash, kind, last_id)
  SELECT store_hash, 'price_list_assignment', max(id) FROM price_list_assignments GROUP BY store_hash;
