package db

import (
	"database/sql"
	"errors"
	"maps"
)

// idGiver knows the next id of a kind.
type idGiver interface {
	next(t *Tx, key idKey) (int64, error)
}

// NextID returns the next id of a kind in a store: 1, 2, 3 and so on. An id that
// was committed is never given out again, and none is given to two. One whose
// transaction fails was never seen; it comes again where one transaction writes
// at a time, and is left out where many do.
func (t *Tx) NextID(storeHash, kind string) (int64, error) {
	return t.ids.next(t, idKey{storeHash, kind})
}

// ids gives out ids. It belongs to the one who writes, who therefore knows the
// last ids without asking, and writes down each counter once for all the turns
// of a transaction.
type ids struct {
	last   map[idKey]int64
	before map[idKey]int64 // of the counters that the transaction under way has moved
	turn   []idKey         // the ids given out in the turn under way
}

type idKey struct{ store, kind string }

// maxCounters bounds how many counters are remembered.
const maxCounters = 20_000

func newIDs() *ids { return &ids{last: map[idKey]int64{}, before: map[idKey]int64{}} }

// next implements idGiver. The transaction has to go on and insert what has the
// id.
func (i *ids) next(t *Tx, key idKey) (int64, error) {
	last, known := i.last[key]
	if !known {
		var err error
		if last, err = t.lastID(key); err != nil {
			return 0, err
		}
	}
	if _, moved := i.before[key]; !moved {
		i.before[key] = last
	}
	i.last[key] = last + 1
	i.turn = append(i.turn, key)
	return last + 1, nil
}

func (t *Tx) lastID(key idKey) (last int64, err error) {
	err = t.lookup("SELECT last_id FROM counters WHERE store_hash = $1 AND kind = $2", key.store, key.kind).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return last, err
}

// endTurn keeps the ids of a turn, or takes them back.
func (i *ids) endTurn(ok bool) {
	if !ok {
		for _, key := range i.turn {
			i.last[key]--
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
		if _, err := t.exec(`INSERT INTO counters (store_hash, kind, last_id) VALUES ($1, $2, $3)
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
