-- +goose Up

-- The dispatcher looks for the active hooks with the scopes of new events, and for stores
-- that have active hooks.
CREATE INDEX hooks_by_scope ON hooks (store_hash, scope) WHERE is_active;
CREATE INDEX stores_with_hooks ON stores (hash) WHERE hooks;
