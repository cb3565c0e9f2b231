-- +goose Up

-- Fields that a store adds to its customers. A deleted attribute keeps its row until a
-- background job has deleted its values, which may be a million. Reads ignore it, and
-- its values, as soon as date_deleted is set.
CREATE TABLE customer_attributes (
  store_hash    TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id            BIGINT NOT NULL,
  name          TEXT   NOT NULL,
  name_folded   TEXT   NOT NULL, -- see fold.go
  type          TEXT   NOT NULL, -- string, number or date
  date_created  BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  date_deleted  BIGINT NOT NULL DEFAULT 0, -- 0: not deleted
  PRIMARY KEY (store_hash, id)
);
CREATE INDEX customer_attributes_deleted ON customer_attributes (store_hash, id) WHERE date_deleted > 0;

CREATE TABLE customer_attribute_values (
  store_hash    TEXT   NOT NULL,
  id            BIGINT NOT NULL,
  customer_id   BIGINT NOT NULL,
  attribute_id  BIGINT NOT NULL,
  value         TEXT   NOT NULL,
  date_created  BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  PRIMARY KEY (store_hash, id),
  FOREIGN KEY (store_hash, customer_id) REFERENCES customers (store_hash, id) ON DELETE CASCADE,
  FOREIGN KEY (store_hash, attribute_id) REFERENCES customer_attributes (store_hash, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX customer_attribute_values_by_customer ON customer_attribute_values (store_hash, customer_id, attribute_id);
CREATE INDEX customer_attribute_values_by_attribute ON customer_attribute_values (store_hash, attribute_id, id);

-- The values of form fields. Each row belongs to a customer or to an address, and the
-- other column is NULL.
CREATE TABLE customer_form_fields (
  store_hash  TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id          BIGINT NOT NULL,
  customer_id BIGINT,
  address_id  BIGINT,
  name        TEXT   NOT NULL,
  type        TEXT   NOT NULL, -- text, numbers or checkboxes
  value       TEXT   NOT NULL, -- the text, the number, or a JSON array of texts
  PRIMARY KEY (store_hash, id),
  FOREIGN KEY (store_hash, customer_id) REFERENCES customers (store_hash, id) ON DELETE CASCADE,
  FOREIGN KEY (store_hash, address_id) REFERENCES customer_addresses (store_hash, id) ON DELETE CASCADE,
  CHECK ((customer_id IS NULL) <> (address_id IS NULL))
);
CREATE UNIQUE INDEX customer_form_fields_by_customer ON customer_form_fields (store_hash, customer_id, name);
CREATE UNIQUE INDEX customer_form_fields_by_address ON customer_form_fields (store_hash, address_id, name);

-- What a customer allows and denies. A customer who has not been asked has no row.
CREATE TABLE customer_consents (
  store_hash  TEXT   NOT NULL,
  customer_id BIGINT NOT NULL,
  allowed     TEXT   NOT NULL, -- words separated by one space
  denied      TEXT   NOT NULL,
  PRIMARY KEY (store_hash, customer_id),
  FOREIGN KEY (store_hash, customer_id) REFERENCES customers (store_hash, id) ON DELETE CASCADE
);
