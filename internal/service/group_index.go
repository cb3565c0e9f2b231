package service

import (
	"context"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/groupindex"
)

// shallow is how many rows a page may have before it for the database to find
// it by walking over them.
const shallow = 500

// indexFor returns the roster that answers for a filter and a number of groups
// to skip, or nil if the database has to, or does it as well.
func (s *Service) indexFor(storeHash string, f cohort.GroupFilter, skip int64) *groupindex.Index {
	if !s.db.SeesAllWrites() || f.OnlyFlagged() || f == (cohort.GroupFilter{}) && skip < shallow {
		return nil
	}
	return s.indexes.Get(storeHash)
}

// loadIndex reads what a roster needs.
func (s *Service) loadIndex(storeHash string, limit int) (entries []groupindex.Entry, err error) {
	err = s.db.View(context.Background(), func(tx *db.Tx) error {
		entries = nil
		return tx.EachGroup(storeHash, limit, func(g cohort.Group) { entries = append(entries, indexEntry(g)) })
	})
	return entries, err
}

func indexEntry(g cohort.Group) groupindex.Entry {
	return groupindex.Entry{
		ID: g.ID, Created: g.DateCreated.UnixMilli(), Modified: g.DateModified.UnixMilli(),
		Name: g.Name, Folded: db.Fold(g.Name), Default: g.IsDefault, Guests: g.IsGroupForGuests,
	}
}

// updateIndexes brings the rosters up to date, that of each store in one step: a
// commit is seen as a whole.
func (s *Service) updateIndexes(changes []db.Change) {
	edits := map[string][]groupindex.Edit{}
	for _, c := range changes {
		switch c.Kind {
		case db.GroupInserted, db.GroupUpdated:
			if s.indexes.Has(c.StoreHash) {
				edits[c.StoreHash] = append(edits[c.StoreHash], groupindex.Put(indexEntry(c.Group)))
			}
		case db.GroupDeleted:
			if s.indexes.Has(c.StoreHash) {
				edits[c.StoreHash] = append(edits[c.StoreHash], groupindex.Delete(c.Group.ID))
			}
		case db.StoreDeleted, db.AnythingChanged:
			s.indexes.Forget()
		}
	}
	for storeHash, list := range edits {
		s.indexes.Apply(storeHash, list)
	}
}

// listAttempts bounds how often a page is looked for anew.
const listAttempts = 3

// readWith is ReadGroups with a roster: the roster says which groups are on the
// page, and the database what they are. If some of them are gone by then, or do
// not pass the filter any more, that is no page that ever was, and it is looked
// for anew. ok is false if there is too much going on for that.
func (s *Service) readWith(ctx context.Context, r *groupindex.Index, storeHash string, f cohort.GroupFilter, p cohort.Page, to Sink[cohort.Group]) (ok bool, err error) {
	filter := groupindex.NewFilter(f, db.Fold)
	for range listAttempts {
		ids := r.Page(filter, placeOf(p), p.Offset(), p.Size)
		if len(ids) == 0 {
			to.Begin()
			s.db.AwaitNotified()
			return true, nil
		}
		seen := expectGroups(ids, to)
		err := view(ctx, s, seen, func(tx *db.Tx) error {
			if f == (cohort.GroupFilter{}) {
				fromFirst := cohort.Page{Number: 1, Size: p.Size, After: strconv.FormatInt(ids[0]-1, 10)}
				return tx.ReadGroups(storeHash, f, fromFirst, seen.Add)
			}
			return tx.ReadGroupsByID(storeHash, f, ids, seen.Add)
		})
		if err != nil || seen.asExpected() {
			return true, err
		}
	}
	return false, nil
}

// placeOf returns the id of the group that a page comes after, or 0.
func placeOf(p cohort.Page) int64 {
	id, _ := strconv.ParseInt(p.After, 10, 64) // the service has made it
	return id
}

// expectedGroups is a sink in front of another that looks whether groups with
// certain ids come.
type expectedGroups struct {
	Sink[cohort.Group]
	ids  []int64
	last int64 // of the first len(ids) groups
	n    int   // how many came
	full bool  // no more were wanted
}

func expectGroups(ids []int64, to Sink[cohort.Group]) *expectedGroups {
	return &expectedGroups{Sink: to, ids: ids}
}

func (e *expectedGroups) Begin() {
	e.n, e.full = 0, false
	e.Sink.Begin()
}

func (e *expectedGroups) Add(g cohort.Group) bool {
	if e.n++; e.n <= len(e.ids) {
		e.last = g.ID
	}
	e.full = !e.Sink.Add(g)
	return !e.full
}

// asExpected reports whether all of the ids have come, or those up to where no more
// were wanted.
func (e *expectedGroups) asExpected() bool {
	n := len(e.ids)
	if e.full {
		n = min(n, e.n)
	}
	return e.n >= n && e.last == e.ids[n-1]
}
