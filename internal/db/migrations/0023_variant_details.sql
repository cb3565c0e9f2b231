-- +goose Up

-- The fields of variants on which neither prices nor access depend; see product_details.
CREATE TABLE variant_details (
  store_hash TEXT   NOT NULL,
  variant_id BIGINT NOT NULL,
  upc        TEXT   NOT NULL, -- also in the details, for lists; '': none
  details    TEXT   NOT NULL, -- JSON, decoded in Go and never queried
  size       BIGINT NOT NULL, -- of the details, in bytes
  PRIMARY KEY (store_hash, variant_id),
  FOREIGN KEY (store_hash, variant_id) REFERENCES variants (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX variant_details_by_upc ON variant_details (store_hash, upc, variant_id) WHERE upc <> '';
