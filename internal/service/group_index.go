package service

import (
	"context"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/groupindex"
)

// minIndexOffset is the offset from which an unfiltered page uses the group index. The
// database finds a page before it as fast.
const minIndexOffset = 500

// indexFor returns the group index to use for a filter and an offset. It returns nil
// if the index is not loaded, would not be faster than the database, or could be
// outdated because other processes write. A running transaction sees another state.
func (s *Service) indexFor(ctx context.Context, storeKey string, f cohort.GroupFilter, offset int64) *groupindex.Index {
	if !s.db.SeesAllWrites() || db.Joined(ctx) || f.OnlyFlagged() || f == (cohort.GroupFilter{}) && offset < minIndexOffset {
		return nil
	}
	return s.indexes.Get(storeKey)
}

// loadIndex is the groupindex.Loader of the service.
func (s *Service) loadIndex(storeKey string, limit int) (entries []groupindex.Entry, err error) {
	err = s.db.View(context.Background(), func(tx *db.Tx) error {
		entries = nil
		return tx.EachGroup(storeKey, limit, func(g cohort.Group) { entries = append(entries, indexEntry(g)) })
	})
	return entries, err
}

func indexEntry(g cohort.Group) groupindex.Entry {
	return groupindex.Entry{
		ID: g.ID, Created: g.DateCreated.UnixMilli(), Modified: g.DateModified.UnixMilli(),
		Name: g.Name, Folded: db.Fold(g.Name), Default: g.IsDefault, Guests: g.IsGroupForGuests,
	}
}

// updateIndexes applies the changes of a commit to the group indexes, for each store
// in one step: readers see the commit as a whole.
func (s *Service) updateIndexes(changes []db.Change) {
	edits := map[string][]groupindex.Edit{}
	for _, c := range changes {
		switch c.Kind {
		case db.GroupInserted, db.GroupUpdated:
			if s.indexes.Has(c.StoreKey) {
				edits[c.StoreKey] = append(edits[c.StoreKey], groupindex.Put(indexEntry(c.Group)))
			}
		case db.GroupDeleted:
			if s.indexes.Has(c.StoreKey) {
				edits[c.StoreKey] = append(edits[c.StoreKey], groupindex.Delete(c.Group.ID))
			}
		case db.StoreReplaced:
			delete(edits, c.StoreKey) // of before
			s.indexes.ForgetStore(c.StoreKey)
		case db.StoreDeleted, db.AnythingChanged:
			s.indexes.Forget()
		}
	}
	for storeKey, list := range edits {
		s.indexes.Apply(storeKey, list)
	}
}

// indexAttempts bounds the attempts of readGroupsWithIndex.
const indexAttempts = 3

// readGroupsWithIndex is ReadGroups with a group index: the index gives the ids of the
// page, and the database gives the groups. If one of them has been deleted in between,
// or no longer passes the filter, the rows are not a page of any one state, and it
// tries again. ok is false if all attempts failed.
func (s *Service) readGroupsWithIndex(ctx context.Context, index *groupindex.Index, storeKey string, f cohort.GroupFilter, p cohort.Page, to Sink[cohort.Group]) (ok bool, err error) {
	filter := groupindex.NewFilter(f, db.Fold)
	for range indexAttempts {
		ids := index.Page(filter, afterID(p), p.Offset(), p.Size)
		if len(ids) == 0 {
			to.Begin()
			s.db.AwaitNotified()
			return true, nil
		}
		sink := &idCheckingSink{Sink: to, ids: ids}
		err := view(ctx, s, sink, func(tx *db.Tx) error {
			if f == (cohort.GroupFilter{}) {
				fromFirst := cohort.Page{Number: 1, Size: p.Size, After: strconv.FormatInt(ids[0]-1, 10)}
				return tx.ReadGroups(storeKey, f, fromFirst, sink.Add)
			}
			return tx.ReadGroupsByID(storeKey, f, ids, sink.Add)
		})
		if err != nil || sink.complete() {
			return true, err
		}
	}
	return false, nil
}

// afterID returns the id of the group that a page comes after, or 0.
func afterID(p cohort.Page) int64 {
	id, _ := strconv.ParseInt(p.After, 10, 64) // a cursor of this service is valid
	return id
}

// idCheckingSink passes groups on to another sink and checks that the groups with the
// expected ids come.
type idCheckingSink struct {
	Sink[cohort.Group]
	ids  []int64
	last int64 // the id of the last group, of the first len(ids)
	n    int   // the number of groups
	full bool  // the other sink wants no more
}

func (s *idCheckingSink) Begin() {
	s.n, s.full = 0, false
	s.Sink.Begin()
}

func (s *idCheckingSink) Add(g cohort.Group) bool {
	if s.n++; s.n <= len(s.ids) {
		s.last = g.ID
	}
	s.full = !s.Sink.Add(g)
	return !s.full
}

// complete reports whether all expected groups have come, or all up to the one at
// which the other sink stopped.
func (s *idCheckingSink) complete() bool {
	n := len(s.ids)
	if s.full {
		n = min(n, s.n)
	}
	return s.n >= n && s.last == s.ids[n-1]
}
