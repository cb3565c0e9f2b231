-- +goose Up

-- Tree 1 has a row from the first write to a tree of its store on; see categoryTreeTable
-- in category_tree.go.
CREATE TABLE category_trees (
  store_hash TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id         BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  channel_id BIGINT NOT NULL, -- 0: none
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX category_trees_by_channel ON category_trees (store_hash, channel_id) WHERE channel_id <> 0;

-- The categories outside tree 1. They are a table of their own, so that an import changes
-- the rows of categories and leaves their trees alone.
CREATE TABLE tree_categories (
  store_hash  TEXT   NOT NULL,
  category_id BIGINT NOT NULL,
  tree_id     BIGINT NOT NULL,
  PRIMARY KEY (store_hash, category_id),
  FOREIGN KEY (store_hash, category_id) REFERENCES categories (store_hash, id) ON DELETE CASCADE,
  FOREIGN KEY (store_hash, tree_id) REFERENCES category_trees (store_hash, id)
);
CREATE INDEX tree_categories_by_tree ON tree_categories (store_hash, tree_id);
