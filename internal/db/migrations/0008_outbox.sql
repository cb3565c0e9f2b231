-- +goose Up

-- Where a job is delivered to, within its kind. It is '' for a kind with one
-- destination, and in rows that an older version of Cohort inserts.
ALTER TABLE jobs ADD COLUMN destination TEXT NOT NULL DEFAULT '';

-- A lane is a kind, a store and a destination. Workers take turns between lanes:
-- this index finds the lane after another one, and the earliest jobs of a lane.
-- Neither a kind nor a store's key has a space in it.
CREATE INDEX jobs_by_lane ON jobs ((kind || ' ' || store_hash || ' ' || destination), run_at) WHERE state = 'waiting';
