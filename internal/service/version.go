package service

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"cohort.example/cohort/internal/db"
)

// Version identifies a state of a group, or of the groups of a store. A caller that
// calls CatchUp, takes a version and then reads may cache the result. It may return the
// result to a later request if the version, taken after another CatchUp, is still equal.
type Version struct{ all, one uint64 }

// versionSlots is the number of counters. Groups that share a counter cause unnecessary
// reads, but no stale ones.
const versionSlots = 1 << 15

// versions counts writes.
type versions struct {
	all   atomic.Uint64 // counts writes of unknown extent
	seed  maphash.Seed
	slots [versionSlots]atomic.Uint64
}

func newVersions() *versions { return &versions{seed: maphash.MakeSeed()} }

type versionKey struct {
	store string
	group int64 // an id, or one of the constants below
}

// Values of versionKey.group that are not ids.
const (
	allGroups = 0  // counts all changes of a store's groups
	deletions = -1 // counts the deletions
)

func (s *versions) slot(store string, group int64) *atomic.Uint64 {
	return &s.slots[maphash.Comparable(s.seed, versionKey{store, group})%versionSlots]
}

// CatchUp waits until the versions count every write that was acknowledged before the
// call. If it returns false, a write of another process may have gone unnoticed: the
// caller must neither use a cached result nor cache a new one.
func (s *Service) CatchUp(ctx context.Context) bool { return s.db.CatchUp(ctx) }

// GroupVersion returns the version of one group.
func (s *Service) GroupVersion(storeKey string, id int64) Version {
	return Version{s.versions.all.Load(), s.versions.slot(storeKey, id).Load()}
}

// GroupsVersion returns the version of all groups of a store.
func (s *Service) GroupsVersion(storeKey string) Version {
	return s.GroupVersion(storeKey, allGroups)
}

// PageVersion returns the version of a full page of the unfiltered groups of a store.
// New groups come after the page and do not change its version; an update of one of its
// groups or any deletion does. It may be taken after the page was read if GroupsVersion
// has the same value before the read and after PageVersion: a write changes
// GroupsVersion first.
func (s *Service) PageVersion(storeKey string, ids []int64) Version {
	version := Version{s.versions.all.Load(), s.versions.slot(storeKey, deletions).Load()}
	for _, id := range ids {
		version.one += s.versions.slot(storeKey, id).Load() // counters only grow, so the sum identifies their state
	}
	return version
}

// applyChanges runs after each commit and before the commit is acknowledged. It updates
// the group indexes before the versions: a read under a new version must not use an
// old index.
func (s *Service) applyChanges(changes []db.Change) {
	s.updateIndexes(changes)
	s.versions.count(changes)
	for _, c := range changes {
		switch c.Kind {
		case db.StoreUpdated, db.TokenDeleted:
			s.directory.forget()
		case db.StoreDeleted, db.StoreReplaced, db.AnythingChanged:
			s.directory.forget()
			s.hooks.forget(c.StoreKey)
		case db.EventsRecorded:
			if s.hookSender != nil && !c.NoHooks { // RunHooks looks for what is left out here
				s.hooks.mark(c.StoreKey)
			}
		}
	}
}

// count counts changes of groups.
func (v *versions) count(changes []db.Change) {
	for _, c := range changes {
		switch c.Kind {
		case db.GroupInserted, db.GroupUpdated, db.GroupDeleted:
			v.slot(c.StoreKey, allGroups).Add(1) // must be first: see PageVersion
			v.slot(c.StoreKey, c.Group.ID).Add(1)
			if c.Kind == db.GroupDeleted {
				v.slot(c.StoreKey, deletions).Add(1)
			}
		case db.StoreDeleted, db.StoreReplaced, db.AnythingChanged:
			v.all.Add(1)
		}
	}
}
