-- +goose Up

-- The channels of products. A product without rows is in channel 1, so that catalogs of
-- one channel need none. An import changes products and leaves these rows alone.
CREATE TABLE product_channels (
  store_hash TEXT   NOT NULL,
  product_id BIGINT NOT NULL,
  channel_id BIGINT NOT NULL, -- 0: the product is in no channel; it is the only row then
  PRIMARY KEY (store_hash, product_id, channel_id),
  FOREIGN KEY (store_hash, product_id) REFERENCES products (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX product_channels_by_channel ON product_channels (store_hash, channel_id, product_id);
