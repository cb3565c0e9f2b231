package service

import (
	"hash/maphash"
	"sync/atomic"

	"cohort.example/cohort/internal/db"
)

// Stamp stands for a state of what it was asked for. Whoever takes it before
// reading may keep what was read for as long as the stamp is the same: a write
// changes it before the writer hears that the write is done.
type Stamp struct{ all, one uint64 }

// stampSlots is how many counters there are. Things that share one only make
// each other be read again.
const stampSlots = 1 << 15

// stamps counts writes.
type stamps struct {
	all   atomic.Uint64 // writes of which nobody knows what they changed
	seed  maphash.Seed
	slots [stampSlots]atomic.Uint64
}

func newStamps() *stamps { return &stamps{seed: maphash.MakeSeed()} }

type stampKey struct {
	store string
	group int64 // or one of the below
}

// What is stamped besides single groups.
const (
	allGroups = 0  // of a store
	deletions = -1 // of groups of a store
)

func (s *stamps) slot(store string, group int64) *atomic.Uint64 {
	return &s.slots[maphash.Comparable(s.seed, stampKey{store, group})%stampSlots]
}

// GroupStamp returns the stamp of one group. ok is false if answers must not be
// kept, because others write to the database and nobody hears of it.
func (s *Service) GroupStamp(storeHash string, id int64) (stamp Stamp, ok bool) {
	return Stamp{s.stamps.all.Load(), s.stamps.slot(storeHash, id).Load()}, s.db.SeesAllWrites()
}

// GroupsStamp returns the stamp of all groups of a store together.
func (s *Service) GroupsStamp(storeHash string) (stamp Stamp, ok bool) {
	return s.GroupStamp(storeHash, allGroups)
}

// PageStamp returns the stamp of a full page of the groups of a store, from the
// first on or after other full pages. New groups come behind it; what changes it
// is a change of one of its groups, and any deletion. It may be taken after the
// page was read if GroupsStamp is, after that, what it was before: that one
// moves first.
func (s *Service) PageStamp(storeHash string, ids []int64) Stamp {
	stamp := Stamp{s.stamps.all.Load(), s.stamps.slot(storeHash, deletions).Load()}
	for _, id := range ids {
		stamp.one += s.stamps.slot(storeHash, id).Load() // they only grow, and so does the sum
	}
	return stamp
}

// watch hears of each commit before those do whose commit it is. Rosters come
// first and stamps last: what is read under a new stamp must be new itself.
func (s *Service) watch(changes []db.Change) {
	s.watchRosters(changes)
	for _, c := range changes {
		switch c.Kind {
		case db.GroupInserted, db.GroupUpdated, db.GroupDeleted:
			s.stamps.slot(c.StoreHash, allGroups).Add(1) // first; see PageStamp
			s.stamps.slot(c.StoreHash, c.Group.ID).Add(1)
			if c.Kind == db.GroupDeleted {
				s.stamps.slot(c.StoreHash, deletions).Add(1)
			}
		case db.StoreUpdated, db.TokenDeleted:
			s.directory.forget()
		case db.StoreDeleted, db.AnythingChanged:
			s.directory.forget()
			s.stamps.all.Add(1)
		}
	}
}
