package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// adoptParts is cohort.AdoptParts with ids of a store.
func adoptParts(tx *db.Tx, storeKey string, before, update cohort.Details, now time.Time) (cohort.Details, error) {
	return cohort.AdoptParts(before, update, now, func(kind string, n int64) (int64, error) {
		return tx.ReserveIDs(storeKey, kind, 0, n)
	})
}

// ProductWith is Product with what with names.
func (s *Service) ProductWith(ctx context.Context, storeKey string, id int64, with cohort.ProductWith) (p cohort.Product, err error) {
	if with == (cohort.ProductWith{}) {
		return s.Product(ctx, storeKey, id)
	}
	f := cohort.ProductFilter{IDs: []int64{id}, With: with}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		found := false
		err := tx.ReadProducts(storeKey, f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 1}, func(read cohort.Product) bool {
			p, found = read, true
			return true
		})
		if err == nil && !found {
			return cohort.NotFound(fmt.Sprintf("product %d", id))
		}
		return err
	})
	return p, err
}

// ChangePart changes the objects of a part of a product, and returns them as they are
// stored. change gets the stored ones, which it may change, and may be called several
// times. Errors are those of UpdateProduct and of change; the Field of an error about an
// object is the place within the object.
func (s *Service) ChangePart(ctx context.Context, storeKey string, productID int64, part cohort.PartList, change func([]cohort.Details) ([]cohort.Details, error)) (objects []cohort.Details, err error) {
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		before, err := tx.ProductForUpdate(storeKey, productID)
		if err != nil {
			return err
		}
		stored, err := part.Objects(before.Details)
		if err != nil {
			return err
		}
		if objects, err = change(stored); err != nil {
			return err
		}
		list, err := part.Encode(objects)
		if err != nil {
			return err
		}
		after, err := s.updateProduct(tx, storeKey, before, cohort.ProductUpdate{Details: cohort.Details{part.Name: list}})
		if err != nil {
			return withinObject(part.Name, err)
		}
		objects, err = part.Objects(after.Details)
		return err
	})
	return objects, err
}

// withinObject removes the name of a list and the index in it from the field of an error.
func withinObject(list string, err error) error {
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok || e.Kind != cohort.KindInvalid {
		return err
	}
	located := *e
	_, located.Field, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(e.Field, list), "."), ".")
	return &located
}
