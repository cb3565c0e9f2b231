-- +goose Up

-- The rows of segments, profiles and memberships refer to each other by number. A number
-- counts from 1 within the store; clients see the UUID.
CREATE TABLE segments (
  store_hash    TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  number        BIGINT NOT NULL,
  uuid          TEXT   NOT NULL, -- in lower case
  name          TEXT   NOT NULL,
  description   TEXT   NOT NULL,
  epoch         BIGINT NOT NULL, -- see segment_members
  date_created  BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  PRIMARY KEY (store_hash, number)
);
CREATE UNIQUE INDEX segments_by_uuid ON segments (store_hash, uuid);
CREATE UNIQUE INDEX segments_by_name ON segments (store_hash, name);

-- A profile exists if its generation is that of the store in profile_generations. The
-- deletion of all profiles starts a new generation; a background job deletes the rows of
-- earlier ones.
CREATE TABLE shopper_profiles (
  store_hash    TEXT   NOT NULL,
  number        BIGINT NOT NULL,
  uuid          TEXT   NOT NULL, -- in lower case
  customer_id   BIGINT NOT NULL,
  generation    BIGINT NOT NULL,
  date_created  BIGINT NOT NULL,
  date_modified BIGINT NOT NULL,
  PRIMARY KEY (store_hash, number),
  FOREIGN KEY (store_hash, customer_id) REFERENCES customers (store_hash, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX shopper_profiles_by_uuid ON shopper_profiles (store_hash, uuid);
CREATE UNIQUE INDEX shopper_profiles_by_customer ON shopper_profiles (store_hash, customer_id, generation);
CREATE INDEX shopper_profiles_by_generation ON shopper_profiles (store_hash, generation, number);

-- A store without a row has generation 0.
CREATE TABLE profile_generations (
  store_hash TEXT   NOT NULL PRIMARY KEY REFERENCES stores (hash) ON DELETE CASCADE,
  generation BIGINT NOT NULL,
  swept      BIGINT NOT NULL -- the rows of generations before this one have been deleted
);

-- A profile is a member of a segment if there is a row with the segment's epoch. When a
-- segment is emptied its epoch rises; when it is deleted it has none. A background job
-- deletes the rows of the epochs in departed_members.
CREATE TABLE segment_members (
  store_hash TEXT   NOT NULL,
  segment    BIGINT NOT NULL,
  epoch      BIGINT NOT NULL,
  profile    BIGINT NOT NULL,
  PRIMARY KEY (store_hash, segment, epoch, profile),
  FOREIGN KEY (store_hash, profile) REFERENCES shopper_profiles (store_hash, number) ON DELETE CASCADE
);
CREATE INDEX segment_members_by_profile ON segment_members (store_hash, profile, segment, epoch);

CREATE TABLE departed_members (
  store_hash TEXT   NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  segment    BIGINT NOT NULL,
  epoch      BIGINT NOT NULL,
  PRIMARY KEY (store_hash, segment, epoch)
);
