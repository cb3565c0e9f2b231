package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreatePriceList adds a price list to a store and returns it as stored, with its id
// and dates. It returns KindInvalid if a rule of price lists is broken, and
// KindConflict if another list has the name.
func (s *Service) CreatePriceList(ctx context.Context, storeKey string, l cohort.PriceList) (created cohort.PriceList, err error) {
	l = l.Normalized()
	if err := l.Validate(); err != nil {
		return cohort.PriceList{}, err
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := checkListName(tx, storeKey, l); err != nil {
			return err
		}
		l.DateCreated = s.timestamp(storeKey)
		l.DateModified = l.DateCreated
		created, err = tx.CreatePriceList(storeKey, l)
		return err
	})
	if err != nil {
		return cohort.PriceList{}, err
	}
	return created, nil
}

// checkListName returns KindConflict if another list has the name of l.
func checkListName(tx *db.Tx, storeKey string, l cohort.PriceList) error {
	id, err := tx.PriceListIDByName(storeKey, l.Name)
	if err != nil || id == 0 || id == l.ID {
		return err
	}
	return &cohort.Error{Kind: cohort.KindConflict, Field: "name", Reason: "Another price list has this name."}
}

// PriceList returns a price list, or KindNotFound.
func (s *Service) PriceList(ctx context.Context, storeKey string, id int64) (l cohort.PriceList, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		l, err = tx.PriceList(storeKey, id)
		return err
	})
	return l, err
}

// ReadPriceLists sends one page of the price lists that pass the filter, by id, to a
// sink. It returns the number of all that pass, or 0 for a page with a cursor.
func (s *Service) ReadPriceLists(ctx context.Context, storeKey string, f cohort.PriceListFilter, p cohort.Page, to Sink[cohort.PriceList]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadPriceLists(storeKey, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountPriceLists(storeKey, f)
		return err
	})
	return total, err
}

// UpdatePriceList changes a price list and returns the new state. An empty update
// changes nothing. Errors are those of CreatePriceList, and KindNotFound.
func (s *Service) UpdatePriceList(ctx context.Context, storeKey string, id int64, u cohort.PriceListUpdate) (after cohort.PriceList, err error) {
	if u.IsEmpty() {
		return s.PriceList(ctx, storeKey, id)
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		before, err := tx.PriceListForUpdate(storeKey, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if err := checkListName(tx, storeKey, after); err != nil {
			return err
		}
		after.DateModified = laterOf(s.timestamp(storeKey), before.DateModified)
		return tx.UpdatePriceList(storeKey, before, after)
	})
	if err != nil {
		return cohort.PriceList{}, err
	}
	return after, nil
}

// DeletePriceList deletes a price list with its records and assignments, or returns
// KindNotFound. The price_list rules of its groups change to their next assignment, or
// are removed.
func (s *Service) DeletePriceList(ctx context.Context, storeKey string, id int64) error {
	return s.updateAssigned(ctx, storeKey, func(tx *db.Tx) error {
		n, err := s.deletePriceLists(tx, storeKey, []int64{id})
		if err == nil && n == 0 {
			_, err = tx.PriceList(storeKey, id) // returns KindNotFound
		}
		return err
	})
}

// DeletePriceLists is DeletePriceList for all price lists that pass the filter. It
// returns how many it has deleted, and KindInvalid for an empty filter.
func (s *Service) DeletePriceLists(ctx context.Context, storeKey string, f cohort.PriceListFilter) (n int, err error) {
	if f.IDs == nil && f.Name == nil {
		return 0, &cohort.Error{Kind: cohort.KindInvalid, Message: "A filter is required: without one, every price list would be deleted."}
	}
	err = s.updateAssigned(ctx, storeKey, func(tx *db.Tx) error {
		tx.InBatch()
		lists, err := tx.ListPriceLists(storeKey, f, cohort.Page{Number: 1, Size: maxDeleted})
		if err != nil {
			return err
		}
		ids := make([]int64, len(lists))
		for i, l := range lists {
			ids[i] = l.ID
		}
		n, err = s.deletePriceLists(tx, storeKey, ids)
		return err
	})
	return n, err
}

// maxDeleted is more than a filter can select.
const maxDeleted = 10_000

// deletePriceLists deletes those of the lists that exist. ids must be ascending. It
// locks groups before lists; see the lock order in assignment.go.
func (s *Service) deletePriceLists(tx *db.Tx, storeKey string, ids []int64) (n int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	assigned := cohort.AssignmentFilter{PriceListIDs: ids}
	groups, err := lockAssigned(tx, storeKey, assigned)
	if err != nil {
		return 0, err
	}
	existing := make([]int64, 0, len(ids))
	for _, id := range ids {
		_, err := tx.PriceListForDelete(storeKey, id)
		if cohort.KindOf(err) == cohort.KindNotFound {
			continue
		}
		if err != nil {
			return 0, err
		}
		existing = append(existing, id)
	}
	if len(existing) == 0 {
		return 0, nil
	}
	assigned.PriceListIDs = existing
	if err := s.deleteAssignments(tx, storeKey, assigned, groups); err != nil {
		return 0, err
	}
	for _, id := range existing {
		if err := tx.DeletePriceList(storeKey, id); err != nil {
			return 0, err
		}
	}
	return len(existing), nil
}
