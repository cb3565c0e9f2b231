package txn

import (
	"database/sql"
	"errors"
	"maps"
	"slices"
)

// idGiver knows the next id of a kind.
type idGiver interface {
	next(t *Tx, key idKey) (int64, error)
	// reserve raises to what is above all of `above` and takes n ids from there.
	// It returns the first of them.
	reserve(t *Tx, key idKey, above, n int64) (first int64, err error)
}

// NextID returns the next id of a kind in a store: 1, 2, 3 and so on. An id that
// was committed is never given out again, and none is given to two. One whose
// transaction fails was never seen; it comes again where one transaction writes
// at a time, and is left out where many do.
func (t *Tx) NextID(storeHash, kind string) (int64, error) {
	return t.ids.next(t, idKey{storeHash, kind})
}

// ReserveIDs notes that ids up to above are taken, by things that come with ids of
// their own, and returns n more: those from first on are the caller's. Where many
// write nobody has to wait for it, and it is not undone with the transaction.
func (t *Tx) ReserveIDs(storeHash, kind string, above, n int64) (first int64, err error) {
	return t.ids.reserve(t, idKey{storeHash, kind}, above, n)
}

// LastID returns the last id of a kind in a store as the database has it, 0 for
// none.
func (t *Tx) LastID(storeKey, kind string) (int64, error) { return t.lastID(idKey{storeKey, kind}) }

// ids gives out ids. It belongs to the one who writes, who therefore knows the
// last ids without asking, and writes down each counter once for all the turns
// of a transaction.
type ids struct {
	last   map[idKey]int64
	before map[idKey]int64 // of the counters that the transaction under way has moved
	turn   []idStep        // what the turn under way has moved
}

// idStep is a counter that was moved, and where it was.
type idStep struct {
	key  idKey
	last int64
}

type idKey struct{ store, kind string }

// maxCounters bounds how many counters are remembered.
const maxCounters = 20_000

func newIDs() *ids { return &ids{last: map[idKey]int64{}, before: map[idKey]int64{}} }

// next implements idGiver. The transaction has to go on and insert what has the
// id.
func (i *ids) next(t *Tx, key idKey) (int64, error) {
	last, err := i.lastOf(t, key)
	if err != nil {
		return 0, err
	}
	i.move(key, last, last+1)
	return last + 1, nil
}

// reserve implements idGiver.
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
	i.turn = append(i.turn, idStep{key, from})
}

func (t *Tx) lastID(key idKey) (last int64, err error) {
	err = t.Lookup("SELECT last_id FROM counters WHERE store_hash = $1 AND kind = $2", key.store, key.kind).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return last, err
}

// endTurn keeps the ids of a turn, or takes them back.
func (i *ids) endTurn(ok bool) {
	if !ok {
		for _, step := range slices.Backward(i.turn) {
			i.last[step.key] = step.last
		}
	}
	i.turn = i.turn[:0]
}

// write writes the counters that the transaction has moved, before its commit.
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

// endTransaction keeps what is known of the counters, or forgets it.
func (i *ids) endTransaction(ok bool) {
	clear(i.before)
	if !ok || len(i.last) > maxCounters {
		clear(i.last)
	}
}

// forgetStore forgets the counters of a store that is deleted.
func (i *ids) forgetStore(storeHash string) {
	ofStore := func(key idKey, _ int64) bool { return key.store == storeHash }
	maps.DeleteFunc(i.last, ofStore)
	maps.DeleteFunc(i.before, ofStore)
}
