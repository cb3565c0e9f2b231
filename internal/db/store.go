package db

import (
	"cmp"
	"errors"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// storeColumns are the columns that scanStore reads. Column hash holds the store's
// key.
const storeColumns = "hash, coalesce(public_hash, hash), plan, quota, at_once, catalog, currency, events, event_days, event_count, hooks, date_created, date_expires, " + storeProfileColumns

// storeProfileColumns are the columns of a store's profile, in the order of storeProfileFields.
const storeProfileColumns = "name, domain, timezone, email, first_name, last_name, phone, address, address_type, country, language, language_selection"

// storeProfileFields returns pointers to the fields of a profile.
func storeProfileFields(p *cohort.StoreProfile) []any {
	return []any{
		&p.Name, &p.Domain, &p.Timezone, &p.Email, &p.FirstName, &p.LastName,
		&p.Phone, &p.Address, &p.AddressType, &p.Country, &p.Language, &p.LanguageSelection,
	}
}

// CreateStore is InsertStore with a new key. It returns the store with the key.
func (t *Tx) CreateStore(s cohort.Store) (cohort.Store, error) {
	var err error
	if s.Key, err = t.nextStoreKey(s.Hash); err != nil {
		return s, err
	}
	return s, t.InsertStore(s)
}

// nextStoreKey returns a key for a store with a hash that no store has had before.
func (t *Tx) nextStoreKey(hash string) (string, error) {
	var generation int64
	err := t.QueryRow(`INSERT INTO store_generations (hash, generation) VALUES ($1, 1)
		ON CONFLICT (hash) DO UPDATE SET generation = store_generations.generation + 1 RETURNING generation`, hash).Scan(&generation)
	return cohort.StoreKey(hash, generation), err
}

// InsertStore adds a store under its key, or under its hash if Key is empty. It
// returns KindConflict if another store has the key or the hash.
func (t *Tx) InsertStore(s cohort.Store) error {
	p := s.Profile
	_, err := t.Exec(`INSERT INTO stores (hash, public_hash, plan, quota, at_once, catalog, currency, events, event_days, event_count, date_created, date_expires, `+storeProfileColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		keyOf(s), s.Hash, s.Plan, s.Quota, s.Concurrency, s.Catalog, s.Currency, s.Events, s.EventDays, s.EventCount, s.DateCreated.UnixMilli(), expiry(s),
		p.Name, p.Domain, p.Timezone, p.Email, p.FirstName, p.LastName,
		p.Phone, p.Address, p.AddressType, p.Country, p.Language, p.LanguageSelection)
	return err
}

// expiry returns the stored form of the date on which a store expires.
func expiry(s cohort.Store) int64 {
	if s.DateExpires.IsZero() {
		return 0
	}
	return s.DateExpires.UnixMilli()
}

// ExpiredStores returns the keys of at most most stores that have expired, the earliest
// first.
func (t *Tx) ExpiredStores(now Times, most int) ([]string, error) {
	w := &where{args: []any{now.System.UnixMilli(), most}}
	rows, err := t.Query("SELECT hash FROM stores WHERE date_expires > 0 AND date_deleted = 0 AND date_expires <= "+now.of(w, "hash", "$1")+
		" ORDER BY date_expires LIMIT CAST($2 AS BIGINT)", w.args...)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, func(row txn.Scanner) (key string, err error) { return key, row.Scan(&key) })
}

// keyOf returns the key of a store. An empty Key means that it equals the hash, as
// for the first store of a hash.
func keyOf(s cohort.Store) string { return cmp.Or(s.Key, s.Hash) }

// Store returns the store with the key, or KindNotFound.
func (t *Tx) Store(key string) (cohort.Store, error) { return t.store("hash = $1", key) }

// StoreByHash returns the current store with the hash, or KindNotFound.
func (t *Tx) StoreByHash(hash string) (cohort.Store, error) {
	return t.store("coalesce(public_hash, hash) = $1", hash)
}

// StoreForUpdate is Store with a row lock: no other transaction writes the row
// until this one ends.
func (t *Tx) StoreForUpdate(key string) (cohort.Store, error) {
	return t.store("hash = $1", key, t.SQL().ForUpdate)
}

// store returns the store that meets a condition on $1, unless it is deleted.
func (t *Tx) store(condition, value string, lock ...string) (cohort.Store, error) {
	query := "SELECT " + storeColumns + " FROM stores WHERE " + condition + " AND date_deleted = 0"
	for _, l := range lock {
		query += l
	}
	s, err := scanStore(t.Lookup(query, value))
	if errors.Is(err, txn.ErrNoRows) {
		return s, cohort.NoStore(value)
	}
	return s, err
}

// ListStores returns every store, ordered by hash.
func (t *Tx) ListStores() ([]cohort.Store, error) {
	rows, err := t.Query("SELECT " + storeColumns + ` FROM stores WHERE date_deleted = 0 ORDER BY coalesce(public_hash, hash) COLLATE "C"`)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanStore)
}

// HasStores reports whether there is a store.
func (t *Tx) HasStores() (has bool, err error) {
	err = t.QueryRow("SELECT EXISTS (SELECT 1 FROM stores WHERE date_deleted = 0)").Scan(&has)
	return has, err
}

// UpdateStore writes the settings of a store, or returns KindNotFound. before is the store as
// read in this transaction. That is an event if the store records events afterwards.
func (t *Tx) UpdateStore(before, s cohort.Store) error {
	if err := t.writeStore(s); err != nil {
		return err
	}
	return t.recordStore(before, s)
}

func (t *Tx) writeStore(s cohort.Store) error {
	key, p := keyOf(s), s.Profile
	if err := t.LockStoreRow(key); err != nil {
		return err
	}
	n, err := t.Exec(`UPDATE stores SET plan = $2, quota = $3, at_once = $4, catalog = $5, currency = $6,
			name = $7, domain = $8, timezone = $9, email = $10, first_name = $11, last_name = $12,
			phone = $13, address = $14, address_type = $15, country = $16, language = $17, language_selection = $18,
			events = $19, event_days = $20, event_count = $21
		WHERE hash = $1 AND date_deleted = 0`, key, s.Plan, s.Quota, s.Concurrency, s.Catalog, s.Currency,
		p.Name, p.Domain, p.Timezone, p.Email, p.FirstName, p.LastName,
		p.Phone, p.Address, p.AddressType, p.Country, p.Language, p.LanguageSelection, s.Events, s.EventDays, s.EventCount)
	if err == nil && n == 0 {
		return cohort.NoStore(key)
	}
	return t.Note(err, txn.Change{Kind: txn.StoreUpdated, StoreKey: key})
}

// DeleteStore deletes a store and all of its rows, or returns KindNotFound. Use it
// only for a store for which [Tx.IsSmallStore] is true, otherwise [Tx.MarkStoreDeleted].
func (t *Tx) DeleteStore(key string) error {
	return t.endStore(key, "DELETE FROM stores")
}

// MarkStoreDeleted marks a store and its snapshots as deleted and deletes its tokens, or
// returns KindNotFound. Its hash is free from the commit on. [Tx.SweepStore] deletes its
// other rows later.
func (t *Tx) MarkStoreDeleted(key string, at time.Time) error {
	if err := t.endStore(key, "UPDATE stores SET date_deleted = $2", at.UnixMilli()); err != nil {
		return err
	}
	return t.Later("DELETE FROM tokens WHERE store_hash = $1", key)
}

// endStore waits for the running writes of the store, keeps new ones from
// beginning, and runs a statement without a condition that deletes the store and its
// snapshots, or marks them as deleted. args are the arguments from $2 on.
func (t *Tx) endStore(key, statement string, args ...any) error {
	if err := cmp.Or(t.LockWriters(key), t.LockStoreRow(key)); err != nil {
		return err
	}
	// Stores that an older version created do not have this row.
	if err := t.Later("INSERT INTO store_generations (hash, generation) VALUES ($1, 1) ON CONFLICT (hash) DO NOTHING",
		cohort.HashOfKey(key)); err != nil {
		return err
	}
	snapshots, err := t.snapshotKeys(key)
	if err != nil {
		return err
	}
	for _, snapshot := range snapshots {
		if err := t.Later(statement+" WHERE hash = $1 AND date_deleted = -1", append([]any{snapshot}, args...)...); err != nil {
			return err
		}
	}
	args = append([]any{key}, args...)
	n, err := t.Exec(statement+" WHERE hash = $1 AND date_deleted = 0", args...)
	if err == nil && n == 0 {
		return cohort.NoStore(key)
	}
	return t.Note(err, txn.Change{Kind: txn.StoreDeleted, StoreKey: key})
}

func scanStore(row txn.Scanner) (cohort.Store, error) {
	var s cohort.Store
	var created, expires int64
	into := []any{&s.Key, &s.Hash, &s.Plan, &s.Quota, &s.Concurrency, &s.Catalog, &s.Currency, &s.Events, &s.EventDays, &s.EventCount, &s.HasHooks, &created, &expires}
	err := row.Scan(append(into, storeProfileFields(&s.Profile)...)...)
	s.DateCreated = fromMillis(created)
	if expires > 0 {
		s.DateExpires = fromMillis(expires)
	}
	return s, err
}

// requireRow returns KindNotFound if a statement that should change one row has
// changed none.
func requireRow(n int64, err error, what string) error {
	if err == nil && n == 0 {
		return cohort.NotFound(what)
	}
	return err
}
