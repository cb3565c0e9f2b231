package txn

import (
	"context"
	"slices"
	"time"

	"cohort.example/cohort"
)

// Change is part of a committed transaction that invalidates caches.
type Change struct {
	Kind     ChangeKind
	StoreKey string       // empty with TokenDeleted and AnythingChanged
	Group    cohort.Group // with the kinds of groups; if another node has changed it, only the id
	// NoHooks says, with EventsRecorded, that the store had no active webhook a moment before.
	NoHooks bool
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
	StoreReplaced                     // the settings of a store and all that is in it, but not its tokens
	TokenDeleted                      // any token; it is rare, so caches drop all tokens
	EventsRecorded                    // a store has further events; caches need not know
	AnythingChanged                   // another process has written; what is unknown
)

// Watch calls fn with the changes of each transaction, after its commit and before
// Update returns. A caller that knows of the change therefore never gets a cached
// value that fn has invalidated. fn may read the slice until it returns. It must be
// quick and must not use the database.
//
// If the database SeesAllWrites, the calls are in the order of the commits, one at a
// time.
func (db *DB) Watch(fn func([]Change)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	watchers := append(slices.Clone(*db.watchers.Load()), fn)
	db.watchers.Store(&watchers)
}

// SeesAllWrites reports whether watchers learn of every write in time to keep a
// cache: of writes of this process before they are acknowledged, and of writes of
// other processes within a fraction of a second.
func (db *DB) SeesAllWrites() bool { return db.engine.seesAllWrites }

// CatchUp waits until the watchers know of every write that was acknowledged before the
// call, by any process; on SQLite, of writes of other processes within a fraction of a
// second. It returns false if they may not know of one. AllowStaleness weakens that.
func (db *DB) CatchUp(ctx context.Context) bool {
	p, ok := db.backend.(*postgresDB)
	if !ok {
		return db.SeesAllWrites()
	}
	if !db.engine.recordsChanges || db.enter() != nil {
		return false
	}
	defer db.running.Done()
	return p.follower.catchUp(ctx)
}

// AllowStaleness lets CatchUp return at once on PostgreSQL if the node has asked for the writes
// of other nodes within d: its callers may then not know of what another process has written
// since. They always know of the writes of this process. 0, the default, allows none.
func (db *DB) AllowStaleness(d time.Duration) {
	if p, ok := db.backend.(*postgresDB); ok {
		p.follower.staleness.Store(int64(d))
	}
}

// AwaitNotified waits until every watcher knows of each commit that a reader may
// have seen. A View waits by itself.
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
