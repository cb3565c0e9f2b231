package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// CreatePriceList adds a price list to a store and returns it as it is kept, with
// its id and dates. It returns KindInvalid if a rule of price lists is broken, and
// KindConflict if another list has the name.
func (s *Service) CreatePriceList(ctx context.Context, storeHash string, l cohort.PriceList) (cohort.PriceList, error) {
	l = l.Normalized()
	if err := l.Validate(); err != nil {
		return cohort.PriceList{}, err
	}
	err := s.update(ctx, storeHash, func(tx *db.Tx) error {
		l.ID = 0
		if err := checkListName(tx, storeHash, l); err != nil {
			return err
		}
		l.DateCreated = s.timestamp()
		l.DateModified = l.DateCreated
		id, err := tx.NextPriceListID(storeHash)
		if err != nil {
			return err
		}
		l.ID = id
		return tx.InsertPriceList(storeHash, l)
	})
	if err != nil {
		return cohort.PriceList{}, err
	}
	return l, nil
}

// checkListName returns KindConflict if another list has the name of a list.
func checkListName(tx *db.Tx, storeHash string, l cohort.PriceList) error {
	id, err := tx.PriceListIDByName(storeHash, l.Name)
	if err != nil || id == 0 || id == l.ID {
		return err
	}
	return &cohort.Error{Kind: cohort.KindConflict, Field: "name", Reason: "Another price list has this name."}
}

// PriceList returns a price list, or KindNotFound.
func (s *Service) PriceList(ctx context.Context, storeHash string, id int64) (l cohort.PriceList, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		l, err = tx.PriceList(storeHash, id)
		return err
	})
	return l, err
}

// ReadPriceLists hands on one page of the price lists that pass the filter, by id,
// and returns how many pass it, unless the page is named by its place.
func (s *Service) ReadPriceLists(ctx context.Context, storeHash string, f cohort.PriceListFilter, p cohort.Page, to Sink[cohort.PriceList]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadPriceLists(storeHash, f, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountPriceLists(storeHash, f)
		return err
	})
	return total, err
}

// UpdatePriceList changes a price list and returns it as it is now. An update that
// holds nothing changes nothing. Errors are those of CreatePriceList, and
// KindNotFound.
func (s *Service) UpdatePriceList(ctx context.Context, storeHash string, id int64, u cohort.PriceListUpdate) (after cohort.PriceList, err error) {
	if u.IsEmpty() {
		return s.PriceList(ctx, storeHash, id)
	}
	err = s.update(ctx, storeHash, func(tx *db.Tx) error {
		before, err := tx.PriceListForUpdate(storeHash, id)
		if err != nil {
			return err
		}
		after = u.Apply(before)
		if err := after.Validate(); err != nil {
			return err
		}
		if err := checkListName(tx, storeHash, after); err != nil {
			return err
		}
		after.DateModified = laterOf(s.timestamp(), before.DateModified)
		return tx.UpdatePriceList(storeHash, after)
	})
	if err != nil {
		return cohort.PriceList{}, err
	}
	return after, nil
}

// DeletePriceList deletes a price list with its records and its assignments, or
// returns KindNotFound. Groups that showed it show their next assignment, or no
// rule.
func (s *Service) DeletePriceList(ctx context.Context, storeHash string, id int64) error {
	return s.updateAssigned(ctx, storeHash, func(tx *db.Tx) error {
		n, err := s.deletePriceLists(tx, storeHash, []int64{id})
		if err == nil && n == 0 {
			_, err = tx.PriceList(storeHash, id) // which says that there is none
		}
		return err
	})
}

// DeletePriceLists deletes the price lists that pass the filter, each as
// DeletePriceList does, and returns how many. It is one transaction. It returns
// KindInvalid if the filter selects everything.
func (s *Service) DeletePriceLists(ctx context.Context, storeHash string, f cohort.PriceListFilter) (n int, err error) {
	if f.IDs == nil && f.Name == nil {
		return 0, &cohort.Error{Kind: cohort.KindInvalid, Message: "A filter is required: without one, every price list would be deleted."}
	}
	err = s.updateAssigned(ctx, storeHash, func(tx *db.Tx) error {
		lists, err := tx.ListPriceLists(storeHash, f, cohort.Page{Number: 1, Size: maxDeleted})
		if err != nil {
			return err
		}
		ids := make([]int64, len(lists))
		for i, l := range lists {
			ids[i] = l.ID
		}
		n, err = s.deletePriceLists(tx, storeHash, ids)
		return err
	})
	return n, err
}

// maxDeleted is more than a filter can name.
const maxDeleted = 10_000

// deletePriceLists deletes those of the lists, which are ascending, that there
// are. Groups are locked before lists, as everybody does who assigns one.
func (s *Service) deletePriceLists(tx *db.Tx, storeHash string, ids []int64) (n int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	assigned := cohort.AssignmentFilter{PriceListIDs: ids}
	groups, err := lockAssigned(tx, storeHash, assigned)
	if err != nil {
		return 0, err
	}
	there := make([]int64, 0, len(ids))
	for _, id := range ids {
		_, err := tx.PriceListForDelete(storeHash, id)
		if cohort.KindOf(err) == cohort.KindNotFound {
			continue
		}
		if err != nil {
			return 0, err
		}
		there = append(there, id)
	}
	if len(there) == 0 {
		return 0, nil
	}
	assigned.PriceListIDs = there
	if err := s.deleteAssignments(tx, storeHash, assigned, groups); err != nil {
		return 0, err
	}
	for _, id := range there {
		if err := tx.DeletePriceList(storeHash, id); err != nil {
			return 0, err
		}
	}
	return len(there), nil
}
