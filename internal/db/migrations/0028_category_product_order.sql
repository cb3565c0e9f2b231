-- +goose Up

-- The place of products in a category, for products that have one. A row of a product that
-- is not in the category has no effect. It is a table of its own, because a write of a
-- product and an import replace the rows of product_categories.
CREATE TABLE category_product_order (
  store_hash  TEXT   NOT NULL,
  category_id BIGINT NOT NULL,
  product_id  BIGINT NOT NULL,
  sort_order  BIGINT NOT NULL,
  PRIMARY KEY (store_hash, category_id, product_id),
  FOREIGN KEY (store_hash, category_id) REFERENCES categories (store_hash, id) ON DELETE CASCADE,
  FOREIGN KEY (store_hash, product_id) REFERENCES products (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX category_product_order_by_product ON category_product_order (store_hash, product_id);
