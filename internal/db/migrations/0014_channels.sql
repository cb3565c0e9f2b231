-- +goose Up

-- Channel 1 has a row from the first write to a channel of its store on; see
-- channelTable in channel.go.
CREATE TABLE channels (
  store_hash          TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  id                  BIGINT  NOT NULL,
  external_id         TEXT    NOT NULL,
  is_listable_from_ui BOOLEAN NOT NULL,
  is_visible          BOOLEAN NOT NULL,
  status              TEXT    NOT NULL,
  name                TEXT    NOT NULL,
  type                TEXT    NOT NULL,
  platform            TEXT    NOT NULL,
  date_created        BIGINT  NOT NULL,
  date_modified       BIGINT  NOT NULL,
  PRIMARY KEY (store_hash, id)
);
CREATE UNIQUE INDEX channels_by_name ON channels (store_hash, name, platform, type) WHERE status <> 'deleted';

-- The settings of a store and those of its channels, except the groups. The
-- default group and the guest group of the store are the flags of its groups.
CREATE TABLE customer_settings (
  store_hash              TEXT    NOT NULL REFERENCES stores (hash) ON DELETE CASCADE,
  channel_id              BIGINT  NOT NULL, -- 0: the store
  ask_consent             BIGINT  NOT NULL, -- 0 or 1; -1: not set, also in the next column
  ask_consent_on_checkout BIGINT  NOT NULL,
  has_policy_url          BOOLEAN NOT NULL,
  policy_url              TEXT    NOT NULL,
  allow_global_logins     BIGINT  NOT NULL, -- 0 or 1; -1: not set
  no_default_group        BOOLEAN NOT NULL, -- the channel has no default group, whatever the store has
  no_guest_group          BOOLEAN NOT NULL,
  PRIMARY KEY (store_hash, channel_id)
);

-- The channels that have a default group or guest group of their own. The foreign
-- key returns them to the store's when the group is deleted, also by a node of an
-- older version.
CREATE TABLE channel_groups (
  store_hash TEXT   NOT NULL,
  channel_id BIGINT NOT NULL,
  role       TEXT   NOT NULL, -- default or guest
  group_id   BIGINT NOT NULL,
  PRIMARY KEY (store_hash, channel_id, role),
  FOREIGN KEY (store_hash, group_id) REFERENCES customer_groups (store_hash, id) ON DELETE CASCADE
);
CREATE INDEX channel_groups_by_group ON channel_groups (store_hash, group_id);
