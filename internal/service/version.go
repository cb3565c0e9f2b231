package service

import (
	"hash/maphash"
	"sync/atomic"

	"cohort.example/cohort/internal/db"
)

// Version stands for a state of what it was asked for. Whoever takes it before
// reading may keep what was read for as long as the version is the same: a write
// changes it before the writer hears that the write is done.
type Version struct{ all, one uint64 }

// versionSlots is how many counters there are. Things that share one only make
// each other be read again.
const versionSlots = 1 << 15

// versions counts writes.
type versions struct {
	all   atomic.Uint64 // writes of which nobody knows what they changed
	seed  maphash.Seed
	slots [versionSlots]atomic.Uint64
}

func newVersions() *versions { return &versions{seed: maphash.MakeSeed()} }

type versionKey struct {
	store string
	group int64 // or one of the below
}

// What is versioned besides single groups.
const (
	allGroups = 0  // of a store
	deletions = -1 // of groups of a store
)

func (s *versions) slot(store string, group int64) *atomic.Uint64 {
	return &s.slots[maphash.Comparable(s.seed, versionKey{store, group})%versionSlots]
}

// GroupVersion returns the version of one group. ok is false if answers must not be
// kept, because others write to the database and nobody hears of it.
func (s *Service) GroupVersion(storeHash string, id int64) (version Version, ok bool) {
	return Version{s.versions.all.Load(), s.versions.slot(storeHash, id).Load()}, s.db.SeesAllWrites()
}

// GroupsVersion returns the version of all groups of a store together.
func (s *Service) GroupsVersion(storeHash string) (version Version, ok bool) {
	return s.GroupVersion(storeHash, allGroups)
}

// PageVersion returns the version of a full page of the groups of a store, from the
// first on or after other full pages. New groups come behind it; what changes it
// is a change of one of its groups, and any deletion. It may be taken after the
// page was read if GroupsVersion is, after that, what it was before: that one
// moves first.
func (s *Service) PageVersion(storeHash string, ids []int64) Version {
	version := Version{s.versions.all.Load(), s.versions.slot(storeHash, deletions).Load()}
	for _, id := range ids {
		version.one += s.versions.slot(storeHash, id).Load() // they only grow, and so does the sum
	}
	return version
}

// watch hears of each commit before those do whose commit it is. Rosters come
// first and versions last: what is read under a new version must be new itself.
func (s *Service) watch(changes []db.Change) {
	s.updateIndexes(changes)
	for _, c := range changes {
		switch c.Kind {
		case db.GroupInserted, db.GroupUpdated, db.GroupDeleted:
			s.versions.slot(c.StoreHash, allGroups).Add(1) // first; see PageVersion
			s.versions.slot(c.StoreHash, c.Group.ID).Add(1)
			if c.Kind == db.GroupDeleted {
				s.versions.slot(c.StoreHash, deletions).Add(1)
			}
		case db.StoreUpdated, db.TokenDeleted:
			s.directory.forget()
		case db.StoreDeleted, db.AnythingChanged:
			s.directory.forget()
			s.versions.all.Add(1)
		}
	}
}
