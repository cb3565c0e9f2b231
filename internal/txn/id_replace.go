package txn

import (
	"maps"
	"slices"
	"strconv"
)

// ReplaceIDs makes last the last ids of a store, by kind. Kinds that it leaves out begin at
// 1 again, except those of keep, which stay as they are. The caller holds
// [Tx.LockWriters] of the store and has deleted its rows, so that no id is in use twice.
//
// From then on the transaction allocates the ids of the store itself. So the store need not
// have been committed, and a rollback takes all of them back.
func (t *Tx) ReplaceIDs(storeKey string, last map[string]int64, keep ...string) error {
	return t.ids.replace(t, storeKey, last, keep)
}

// LastIDs returns the last ids of a store, by kind, with those that this transaction has
// allocated.
func (t *Tx) LastIDs(storeKey string) (map[string]int64, error) { return t.ids.lasts(t, storeKey) }

// storedIDs returns the last ids of a store as the database has them.
func (t *Tx) storedIDs(store string) (map[string]int64, error) {
	rows, err := t.Query("SELECT kind, last_id FROM counters WHERE store_hash = $1", store)
	if err != nil {
		return nil, err
	}
	last := map[string]int64{}
	type counter struct {
		kind string
		last int64
	}
	scan := func(row Scanner) (c counter, err error) { return c, row.Scan(&c.kind, &c.last) }
	return last, Each(rows, scan, func(c counter) bool { last[c.kind] = c.last; return true })
}

// writeIDs replaces the counters of a store in the database, except those of keep. It writes
// them in the order in which idBatcher locks them.
func (t *Tx) writeIDs(store string, last map[string]int64, keep []string) error {
	query, args := "DELETE FROM counters WHERE store_hash = $1", []any{store}
	for _, kind := range keep {
		args = append(args, kind)
		query += " AND kind <> $" + strconv.Itoa(len(args))
	}
	if err := t.Later(query, args...); err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(last)) {
		if slices.Contains(keep, kind) {
			continue
		}
		if err := t.Later(`INSERT INTO counters (store_hash, kind, last_id) VALUES ($1, $2, $3)
			ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = $3`, store, kind, last[kind]); err != nil {
			return err
		}
	}
	return nil
}

// forgotten are counters of a store that replace took out of the memory.
type forgotten struct {
	store        string
	keep         []string
	last, before map[idKey]int64
}

func (f *forgotten) has(key idKey, _ int64) bool {
	return key.store == f.store && !slices.Contains(f.keep, key.kind)
}

// replace implements idSource. Earlier requests of the transaction may have moved counters
// of the store that are not written yet.
func (i *ids) replace(t *Tx, store string, last map[string]int64, keep []string) error {
	f := &forgotten{store: store, keep: keep, last: maps.Clone(i.last), before: maps.Clone(i.before)}
	others := func(key idKey, n int64) bool { return !f.has(key, n) }
	maps.DeleteFunc(f.last, others)
	maps.DeleteFunc(f.before, others)
	i.request = append(i.request, idStep{forgotten: f})
	maps.DeleteFunc(i.last, f.has)
	maps.DeleteFunc(i.before, f.has)
	return t.writeIDs(store, last, keep)
}

// lasts implements idSource.
func (i *ids) lasts(t *Tx, store string) (map[string]int64, error) {
	last, err := t.storedIDs(store)
	if err != nil {
		return nil, err
	}
	for key, n := range i.last {
		if key.store == store && n > 0 {
			last[key.kind] = n
		}
	}
	return last, nil
}

// undo takes a step back.
func (s idStep) undo(i *ids) {
	f := s.forgotten
	if f == nil {
		i.last[s.key] = s.last
		return
	}
	maps.DeleteFunc(i.last, f.has)
	maps.DeleteFunc(i.before, f.has)
	maps.Copy(i.last, f.last)
	maps.Copy(i.before, f.before)
}

// replacedIDs allocates the ids of a store that a transaction on PostgreSQL has replaced. It
// writes the counters at the end of the transaction: idBatcher waits for them, and with it
// every create of the node.
type replacedIDs struct {
	rest  idSource // for other stores and the kinds of keep
	store string
	keep  []string
	last  map[string]int64
}

func cloned(last map[string]int64) map[string]int64 {
	if last == nil {
		return map[string]int64{}
	}
	return maps.Clone(last)
}

func (r *replacedIDs) has(key idKey) bool {
	return key.store == r.store && !slices.Contains(r.keep, key.kind)
}

// next implements idSource.
func (r *replacedIDs) next(t *Tx, key idKey) (int64, error) {
	if !r.has(key) {
		return r.rest.next(t, key)
	}
	r.last[key.kind]++
	return r.last[key.kind], nil
}

// reserve implements idSource.
func (r *replacedIDs) reserve(t *Tx, key idKey, above, n int64) (first int64, err error) {
	if !r.has(key) {
		return r.rest.reserve(t, key, above, n)
	}
	from := max(r.last[key.kind], above)
	r.last[key.kind] = from + n
	return from + 1, nil
}

// replace implements idSource.
func (r *replacedIDs) replace(t *Tx, store string, last map[string]int64, keep []string) error {
	if store != r.store {
		return r.rest.replace(t, store, last, keep)
	}
	r.last, r.keep = cloned(last), keep
	return nil
}

// lasts implements idSource.
func (r *replacedIDs) lasts(t *Tx, store string) (map[string]int64, error) {
	last, err := r.rest.lasts(t, store)
	if err != nil || store != r.store {
		return last, err
	}
	maps.DeleteFunc(last, func(kind string, _ int64) bool { return r.has(idKey{store, kind}) })
	maps.Copy(last, r.last)
	return last, nil
}

// write writes the counters. It runs before the commit.
func (r *replacedIDs) write(t *Tx) error {
	if rest, ok := r.rest.(*replacedIDs); ok {
		if err := rest.write(t); err != nil {
			return err
		}
	}
	if err := t.Later(`SELECT last_id FROM counters WHERE store_hash = $1 ORDER BY kind COLLATE "C"`+t.SQL().ForUpdate, r.store); err != nil {
		return err
	}
	return t.writeIDs(r.store, r.last, r.keep)
}
