package txn

import (
	"database/sql"
	"errors"
	"maps"
	"slices"
)

// idSource allocates ids.
type idSource interface {
	next(t *Tx, key idKey) (int64, error)
	// reserve raises the counter to at least above and allocates the n ids after it.
	// It returns the first of them.
	reserve(t *Tx, key idKey, above, n int64) (first int64, err error)
	replace(t *Tx, store string, last map[string]int64, keep []string) error // see Tx.ReplaceIDs
	lasts(t *Tx, store string) (map[string]int64, error)                     // see Tx.LastIDs
}

// NextID allocates the next id of a kind in a store: 1, 2, 3 and so on. No id is
// allocated twice, except on SQLite after the transaction that allocated it has
// failed. On PostgreSQL a failed transaction leaves a gap.
func (t *Tx) NextID(storeHash, kind string) (int64, error) {
	return t.ids.next(t, idKey{storeHash, kind})
}

// ReserveIDs marks the ids up to above as used, for rows that bring their own ids,
// and allocates n more, from first on. On PostgreSQL it does not wait for other
// transactions, and a rollback does not undo it.
func (t *Tx) ReserveIDs(storeHash, kind string, above, n int64) (first int64, err error) {
	return t.ids.reserve(t, idKey{storeHash, kind}, above, n)
}

// LastID returns the last id of a kind in a store as the database has it, 0 for
// none.
func (t *Tx) LastID(storeKey, kind string) (int64, error) { return t.lastID(idKey{storeKey, kind}) }

// ids allocates ids on SQLite. The writer goroutine owns it, so it can keep the
// counters in memory and write each counter once per transaction.
type ids struct {
	last    map[idKey]int64
	before  map[idKey]int64 // the values before this transaction, of counters that it moved
	request []idStep        // the steps of the current update request
}

// idStep is a counter that was moved, with its previous value, or forgotten counters.
type idStep struct {
	key       idKey
	last      int64
	forgotten *forgotten
}

type idKey struct{ store, kind string }

// maxCounters bounds how many counters are kept in memory.
const maxCounters = 20_000

func newIDs() *ids { return &ids{last: map[idKey]int64{}, before: map[idKey]int64{}} }

// next implements idSource. The transaction has to insert a row with the id.
func (i *ids) next(t *Tx, key idKey) (int64, error) {
	last, err := i.lastOf(t, key)
	if err != nil {
		return 0, err
	}
	i.move(key, last, last+1)
	return last + 1, nil
}

// reserve implements idSource.
func (i *ids) reserve(t *Tx, key idKey, above, n int64) (first int64, err error) {
	last, err := i.lastOf(t, key)
	if err != nil {
		return 0, err
	}
	from := max(last, above)
	if from+n > last {
		i.move(key, last, from+n)
	}
	return from + 1, nil
}

func (i *ids) lastOf(t *Tx, key idKey) (int64, error) {
	if last, known := i.last[key]; known {
		return last, nil
	}
	return t.lastID(key)
}

func (i *ids) move(key idKey, from, to int64) {
	if _, moved := i.before[key]; !moved {
		i.before[key] = from
	}
	i.last[key] = to
	i.request = append(i.request, idStep{key: key, last: from})
}

func (t *Tx) lastID(key idKey) (last int64, err error) {
	err = t.Lookup("SELECT last_id FROM counters WHERE store_hash = $1 AND kind = $2", key.store, key.kind).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return last, err
}

// endRequest keeps the ids of an update request, or takes them back if it failed.
func (i *ids) endRequest(ok bool) {
	if !ok {
		for _, step := range slices.Backward(i.request) {
			step.undo(i)
		}
	}
	i.request = i.request[:0]
}

// write writes the counters that the transaction has moved. It runs before the
// commit.
func (i *ids) write(t *Tx) error {
	for key, before := range i.before {
		last := i.last[key]
		if last == before {
			continue
		}
		if _, err := t.Exec(`INSERT INTO counters (store_hash, kind, last_id) VALUES ($1, $2, $3)
			ON CONFLICT (store_hash, kind) DO UPDATE SET last_id = $3`, key.store, key.kind, last); err != nil {
			return t.abandon(err)
		}
	}
	return nil
}

// endTransaction keeps the counters in memory after a commit, and drops them after a
// rollback.
func (i *ids) endTransaction(ok bool) {
	clear(i.before)
	if !ok || len(i.last) > maxCounters {
		clear(i.last)
	}
}

// forgetStore drops the counters of a deleted store.
func (i *ids) forgetStore(storeHash string) {
	ofStore := func(key idKey, _ int64) bool { return key.store == storeHash }
	maps.DeleteFunc(i.last, ofStore)
	maps.DeleteFunc(i.before, ofStore)
}
