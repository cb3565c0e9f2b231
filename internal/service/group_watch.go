package service

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// GroupChange is a committed change of a group, or of all groups of a store.
type GroupChange struct {
	Kind     GroupChangeKind
	StoreKey string       // empty with AllGroupsChanged
	Group    cohort.Group // as it is now; only the id with GroupDeleted
}

// GroupChangeKind says what was changed.
type GroupChangeKind int

// The kinds of changes.
const (
	GroupInserted GroupChangeKind = iota
	GroupUpdated
	GroupDeleted
	StoreGroupsChanged // any group of the store
	AllGroupsChanged   // any group of any store
)

// WatchGroups calls drop and then add with the changes of each commit, before the commit is
// acknowledged. drop removes old groups from a copy that the caller has. It is called after
// the versions of the groups have changed, so a reader of an old group does not add it to the
// copy afterwards. Before add is called, the versions change once more: a reader may have
// taken the new version and then read the copy from before drop. The calls are in the order
// of the commits, one at a time, and the commits wait for them. It returns false, and calls
// nothing, if other processes write to the database unnoticed.
func (s *Service) WatchGroups(drop, add func([]GroupChange)) bool {
	if !s.db.SeesAllWrites() {
		return false
	}
	s.db.Watch(func(changes []db.Change) {
		list := groupChanges(changes)
		if len(list) == 0 {
			return
		}
		drop(list)
		s.versions.count(changes)
		add(list)
	})
	return true
}

func groupChanges(changes []db.Change) []GroupChange {
	var list []GroupChange
	for _, c := range changes {
		kind := GroupInserted
		switch c.Kind {
		case db.GroupInserted:
		case db.GroupUpdated:
			kind = GroupUpdated
		case db.GroupDeleted:
			kind = GroupDeleted
		case db.StoreDeleted, db.StoreReplaced:
			kind = StoreGroupsChanged
		case db.AnythingChanged:
			kind = AllGroupsChanged
		default:
			continue
		}
		if list == nil {
			list = make([]GroupChange, 0, len(changes))
		}
		list = append(list, GroupChange{kind, c.StoreKey, c.Group})
	}
	return list
}

// DataFolder returns the folder of the database file, or "" if the database is a server.
func (s *Service) DataFolder() string { return s.db.Folder() }
