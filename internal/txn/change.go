package txn

import (
	"slices"

	"cohort.example/cohort"
)

// Change is something that a committed transaction did and that whoever keeps
// answers has to know of.
type Change struct {
	Kind      ChangeKind
	StoreHash string       // empty with TokenDeleted and AnythingChanged
	Group     cohort.Group // with the kinds of groups
}

// ChangeKind says what was changed.
type ChangeKind int

// The kinds of changes.
const (
	GroupInserted   ChangeKind = iota // Change.Group is the group
	GroupUpdated                      // Change.Group is the group as it is now
	GroupDeleted                      // Change.Group has its id
	StoreUpdated                      // the settings of a store
	StoreDeleted                      // a store and all that was in it
	TokenDeleted                      // some token; that is rare, so all are looked up again
	AnythingChanged                   // by another process; there is no telling what
)

// Watch calls fn with what each transaction has changed, after its commit and
// before the callers of Update hear of it: what fn has forgotten by then, nobody
// is shown any more who knows of the change. The slice is fn's to read until it
// returns. fn must be quick, and must not use the database.
//
// Calls come one after another in the order of the commits if the database
// SeesAllWrites.
func (db *DB) Watch(fn func([]Change)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	watchers := append(slices.Clone(*db.watchers.Load()), fn)
	db.watchers.Store(&watchers)
}

// SeesAllWrites reports whether this DB learns of every write, in time to keep
// answers: its own ones before they are acknowledged, and those of other
// processes within a fraction of a second.
func (db *DB) SeesAllWrites() bool { return db.engine.seesAllWrites }

// AwaitNotified returns when everybody who watches knows of what one of them may have
// shown by now. A View waits for that by itself.
func (db *DB) AwaitNotified() {
	if s, ok := db.backend.(*sqliteDB); ok {
		s.writer.awaitNotified()
	}
}

func (db *DB) changed(changes []Change) {
	if len(changes) == 0 {
		return
	}
	for _, fn := range *db.watchers.Load() {
		fn(changes)
	}
}
