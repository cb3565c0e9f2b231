-- +goose Up

CREATE TABLE customers (
  store_hash              TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id                      BIGINT  NOT NULL,
  company                 TEXT    NOT NULL,
  first_name              TEXT    NOT NULL,
  last_name               TEXT    NOT NULL,
  email                   TEXT    NOT NULL,
  email_folded            TEXT    NOT NULL, -- see fold.go
  phone                   TEXT    NOT NULL,
  store_credit            TEXT    NOT NULL, -- decimal number with four decimal places
  registration_ip_address TEXT    NOT NULL,
  customer_group_id       BIGINT  NOT NULL, -- 0: none; see departed_groups
  notes                   TEXT    NOT NULL,
  tax_exempt_category     TEXT    NOT NULL,
  reset_pass_on_login     BOOLEAN NOT NULL,
  accepts_marketing       BOOLEAN NOT NULL,
  password_hash           TEXT    NOT NULL, -- PHC string
  date_created            BIGINT  NOT NULL,
  date_modified           BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX customers_by_email ON customers (store_hash, email_folded);
CREATE INDEX customers_by_group ON customers (store_hash, customer_group_id, id);

CREATE TABLE customer_addresses (
  store_hash   TEXT   NOT NULL,
  id           BIGINT NOT NULL,
  customer_id  BIGINT NOT NULL,
  first_name   TEXT   NOT NULL,
  last_name    TEXT   NOT NULL,
  company      TEXT   NOT NULL,
  street_1     TEXT   NOT NULL,
  street_2     TEXT   NOT NULL,
  city         TEXT   NOT NULL,
  state        TEXT   NOT NULL,
  zip          TEXT   NOT NULL,
  country      TEXT   NOT NULL,
  country_iso2 TEXT   NOT NULL,
  phone        TEXT   NOT NULL,
  address_type TEXT   NOT NULL,
  PRIMARY KEY (store_hash, id),
  FOREIGN KEY (store_hash, customer_id) REFERENCES customers (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX customer_addresses_by_customer ON customer_addresses (store_hash, customer_id, id);

-- The number of members of a group is the sum over its slots. With several rows,
-- concurrent transactions that add customers to one group rarely wait for the same
-- row.
CREATE TABLE member_counts (
  store_hash TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  group_id   BIGINT NOT NULL,
  slot       BIGINT NOT NULL,
  members    BIGINT NOT NULL,
  PRIMARY KEY (store_hash, group_id, slot)
);

-- Tombstones: deleted groups that rows of customers still name. Customers whose
-- rows name one of these groups are in no group. A background job updates the
-- customers' rows and then deletes the tombstone.
CREATE TABLE departed_groups (
  store_hash TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  group_id   BIGINT NOT NULL,
  PRIMARY KEY (store_hash, group_id)
);
