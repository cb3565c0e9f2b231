package txn

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strings"
)

// SQL holds the SQL fragments in which one engine differs from another. A
// fragment that an engine does not need is empty.
type SQL struct {
	// Engine is a query for the name and the version of the engine, and Size one for the
	// bytes that the database uses.
	Engine, Size string
	// ForUpdate, ForDelete and ForKeyShare end a query and lock its rows until the
	// transaction ends: against changes, against everything, against deletion.
	// They are empty on SQLite, where one transaction writes at a time.
	ForUpdate, ForDelete, ForKeyShare string
	// CommitsInOrder says that transactions commit in the order in which they allocate ids,
	// because one transaction writes at a time.
	CommitsInOrder bool
	// SkipLocked follows ForUpdate or ForDelete and leaves out rows that another transaction has
	// locked, instead of waiting for them.
	SkipLocked string
	// IDTable is a table "ids" with a column "wanted": the ids in argument $2, which
	// is a text of digits separated by commas.
	IDTable string
	// Joined is an aggregate that joins a column of ids into one text of digits
	// separated by commas.
	Joined func(column string) string
	// RowsOf is a query for the rows of a store ($1) that belong to the rows of
	// another table, looked up by a key, one after another. The planner uses the
	// index however many rows it expects a store to have.
	RowsOf func(of, key string, l LookupBy) string
	// ByteOrder follows a text that is sorted or lower-cased, and is part of an index:
	// PostgreSQL then compares by byte and changes ASCII letters only, as SQLite always
	// does. In SQLite's schema the name of a collation would lock other programs out.
	ByteOrder string
	// NoIndex before a column of numbers keeps the planner from using an index on it.
	// It is empty on PostgreSQL, whose planner knows how many rows have which values.
	NoIndex string
	// ComputesSkipped says that the engine computes the columns of the rows that an OFFSET
	// skips.
	ComputesSkipped bool
	// NotAmong is the condition that a column is none of the ids that a query selects as
	// its only column. SQLite runs the query once. PostgreSQL would run it for each row if
	// it selects more than fits into its memory, so it gets a form that it can join.
	NotAmong func(column, query string) string
	// Distributed says that the rows of different stores may be on different servers, with
	// Citus. A statement about one store names its key; one about rows of all stores must not
	// lock them, recurse, or look each store of the table stores up in another table.
	Distributed bool
	// DeleteSome is a statement that deletes at most $2 rows of a store ($1) from a
	// table, in the order of a key.
	DeleteSome func(table, key string) string
}

// LookupBy describes a lookup by key: the columns to read, separated by ", ", from
// a table where Column equals the key and Condition holds. Condition may be empty
// or begins with " AND"; it refers to the table as x.
type LookupBy struct{ Columns, Table, Column, Condition string }

// As gives a table another name within a query. The table may be a sub-select
// that has a name already.
func As(table, alias string) string {
	if i := strings.LastIndex(table, ") AS "); i >= 0 {
		return table[:i+len(") AS ")] + alias
	}
	return table + " AS " + alias
}

// LockClass names what a store-wide lock protects. Its value is the class of
// PostgreSQL's advisory locks, by convention four letters in ASCII.
type LockClass int32

// writers is the class of the locks on the right to write for a store at all. Each
// request that writes shares it. A transaction that takes that right away, by
// deleting the store or a token of it, holds it exclusively: "writ".
const writers LockClass = 0x77726974

// LockStore takes an exclusive lock of the store until the transaction ends. It
// does nothing on SQLite, where one transaction writes at a time.
func (t *Tx) LockStore(c LockClass, storeKey string) error {
	return t.lockStore(lockExclusive, c, storeKey)
}

// ShareStore takes a shared lock of the store until the transaction ends.
func (t *Tx) ShareStore(c LockClass, storeKey string) error {
	return t.lockStore(lockShared, c, storeKey)
}

// LockWriters keeps other transactions from writing for the store until this one
// ends, and waits for those that write already.
func (t *Tx) LockWriters(storeKey string) error { return t.LockStore(writers, storeKey) }

// storeRows is the class of the locks that stand for locks of the rows of stores on Citus:
// "srow".
const storeRows LockClass = 0x73726f77

// LockStoreRow waits for the transactions that ForStore has begun without a token, and keeps
// new ones from beginning. A statement that changes the row of the store does so itself,
// except on Citus.
func (t *Tx) LockStoreRow(storeKey string) error {
	if !t.engine.Distributed {
		return nil
	}
	return t.LockStore(storeRows, storeKey)
}

const (
	lockExclusive = "pg_advisory_xact_lock"
	lockShared    = "pg_advisory_xact_lock_shared"
)

func (t *Tx) lockStore(function string, c LockClass, storeKey string) error {
	if !t.engine.advisoryLocks {
		return nil
	}
	s := t.placeOf(storeKey).lock(function, c, storeKey)
	return t.Later(s.query, s.args...)
}

// lock returns the statement that takes a lock of a store, on the server that has the rows of
// the store: there it excludes other nodes whichever server they use. Where that is another
// server, the statement reads a row that does not exist, so that Citus passes it on.
func (p storePlace) lock(function string, c LockClass, storeKey string) statement {
	if p.isDirect() {
		return statement{query: fmt.Sprintf("SELECT %s(%d, $1)", function, c), args: []any{lockNumber(storeKey)}}
	}
	return statement{
		query: fmt.Sprintf("SELECT count(*), %s(%d, $1) FROM receipts WHERE store_hash = $2 AND slot = ''", function, c),
		args:  []any{lockNumber(storeKey), storeKey},
	}
}

// placeOf returns the place of a store for this transaction.
func (t *Tx) placeOf(storeKey string) storePlace {
	s, ok := t.session.(*postgresSession)
	if !ok || !t.engine.Distributed || s.store == storeKey {
		return placeOfSession(s)
	}
	return storePlace{shard: -1} // not the server of this transaction
}

func placeOfSession(s *postgresSession) storePlace {
	if s == nil {
		return storePlace{}
	}
	return s.place
}

// TryLock takes an exclusive lock for a store until the transaction ends, or returns false if
// another transaction has it. name is the beginning of a cryptographic hash of what is locked.
// On SQLite TryLock returns true, because one transaction writes at a time.
func (t *Tx) TryLock(storeKey string, name [8]byte) (free bool, err error) {
	if !t.engine.advisoryLocks {
		return true, nil
	}
	number := int64(binary.BigEndian.Uint64(name[:])) //nolint:gosec // any 64 bits will do
	if t.placeOf(storeKey).isDirect() {
		err = t.QueryRow("SELECT pg_try_advisory_xact_lock($1)", number).Scan(&free)
	} else {
		var none int
		err = t.QueryRow("SELECT count(*), pg_try_advisory_xact_lock($1) FROM receipts WHERE store_hash = $2 AND slot = ''", number, storeKey).Scan(&none, &free)
	}
	if s, ok := t.session.(interface{ awaitEnd() }); ok {
		s.awaitEnd()
	}
	return free, err
}

// lockNumber is the number of a store in advisory locks. Stores may share one.
func lockNumber(storeKey string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(storeKey)) // never fails
	return int32(h.Sum32())          //nolint:gosec // any 32 bits will do
}
