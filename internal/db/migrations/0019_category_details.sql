-- +goose Up

-- The fields of categories on which neither prices nor access depend. A category for
-- which no client has set any has no row. They are a table of their own, so that prices
-- and imports do not read them.
CREATE TABLE category_details (
  store_hash        TEXT    NOT NULL,
  category_id       BIGINT  NOT NULL,
  -- These five are also in the details. Lists and the tree use them.
  is_visible        BOOLEAN NOT NULL,
  sort_order        BIGINT  NOT NULL,
  page_title        TEXT    NOT NULL,
  page_title_folded TEXT    NOT NULL,
  url               TEXT    NOT NULL, -- '': not set
  details           TEXT    NOT NULL, -- JSON, decoded in Go and never queried
  PRIMARY KEY (store_hash, category_id),
  FOREIGN KEY (store_hash, category_id) REFERENCES categories (store_hash, id) ON DELETE CASCADE
);
