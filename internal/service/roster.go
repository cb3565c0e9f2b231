package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/roster"
)

// shallow is how many rows a page may have before it for the database to find
// it by walking over them.
const shallow = 500

// rosterFor returns the roster that answers for a filter and a number of groups
// to skip, or nil if the database has to, or does it as well.
func (s *Service) rosterFor(storeHash string, f cohort.GroupFilter, skip int64) *roster.Roster {
	if !s.db.SeesAllWrites() || f.OnlyFlagged() || f == (cohort.GroupFilter{}) && skip < shallow {
		return nil
	}
	return s.rosters.Get(storeHash)
}

// loadRoster reads what a roster needs.
func (s *Service) loadRoster(storeHash string, limit int) (entries []roster.Entry, err error) {
	err = s.db.View(context.Background(), func(tx *db.Tx) error {
		entries = nil
		return tx.EachGroup(storeHash, limit, func(g cohort.Group) { entries = append(entries, rosterEntry(g)) })
	})
	return entries, err
}

func rosterEntry(g cohort.Group) roster.Entry {
	return roster.Entry{
		ID: g.ID, Created: g.DateCreated.UnixMilli(), Modified: g.DateModified.UnixMilli(),
		Name: g.Name, Folded: db.Fold(g.Name), Default: g.IsDefault, Guests: g.IsGroupForGuests,
	}
}

// watchRosters brings the rosters up to date, that of each store in one step: a
// commit is seen as a whole.
func (s *Service) watchRosters(changes []db.Change) {
	edits := map[string][]roster.Edit{}
	for _, c := range changes {
		switch c.Kind {
		case db.GroupInserted, db.GroupUpdated:
			if s.rosters.Has(c.StoreHash) {
				edits[c.StoreHash] = append(edits[c.StoreHash], roster.Put(rosterEntry(c.Group)))
			}
		case db.GroupDeleted:
			if s.rosters.Has(c.StoreHash) {
				edits[c.StoreHash] = append(edits[c.StoreHash], roster.Delete(c.Group.ID))
			}
		case db.StoreDeleted, db.AnythingChanged:
			s.rosters.Forget()
		}
	}
	for storeHash, list := range edits {
		s.rosters.Apply(storeHash, list)
	}
}

// listAttempts bounds how often a page is looked for anew.
const listAttempts = 3

// listWith is ListGroups with a roster: the roster says which groups are on the
// page, and the database what they are. If some of them are gone by then, or do
// not pass the filter any more, that is no page that ever was, and it is looked
// for anew. ok is false if there is too much going on for that.
func (s *Service) listWith(ctx context.Context, r *roster.Roster, storeHash string, f cohort.GroupFilter, p cohort.Page) (groups []cohort.Group, ok bool, err error) {
	filter := roster.NewFilter(f, db.Fold)
	for range listAttempts {
		ids := r.Page(filter, p.Offset(), p.Size)
		if len(ids) == 0 {
			s.db.AwaitTold()
			return nil, true, nil
		}
		err := s.db.View(ctx, func(tx *db.Tx) (err error) {
			if f == (cohort.GroupFilter{}) {
				groups, err = tx.ListGroupsFrom(storeHash, ids[0], p.Size)
			} else {
				groups, err = tx.ListGroupsByID(storeHash, f, ids)
			}
			return err
		})
		if err != nil || shows(groups, ids) {
			return groups, true, err
		}
	}
	return nil, false, nil
}

// shows reports whether all of the ids are among the groups.
func shows(groups []cohort.Group, ids []int64) bool {
	return len(groups) >= len(ids) && groups[len(ids)-1].ID == ids[len(ids)-1]
}
