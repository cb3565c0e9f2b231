package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// OptionRef names an option or a modifier by what a path has. It exists only if all parts
// belong together.
type OptionRef struct {
	ProductID int64
	Kind      cohort.OptionKind
	ID        int64
}

// CreateOption adds an option to the product that ref names and returns it as stored.
//
// It returns KindInvalid if a rule of options is broken, KindNotFound if the product does
// not exist, and KindConflict if an option or a modifier of the product has the name, or if
// there are too many.
func (s *Service) CreateOption(ctx context.Context, storeKey string, ref OptionRef, u cohort.OptionUpdate) (created cohort.Option, err error) {
	u.Choices = slices.Clone(u.Choices)
	for i := range u.Choices {
		u.Choices[i].ID = 0 // a client may copy the choices of another option
	}
	o, err := u.Apply(cohort.Option{ProductID: ref.ProductID, Kind: ref.Kind})
	if err != nil {
		return created, err
	}
	if err := o.Validate(); err != nil {
		return created, err
	}
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		if _, err := tx.ProductForUpdate(storeKey, ref.ProductID); err != nil {
			return err
		}
		n, err := tx.CountOptions(storeKey, ref.ProductID, ref.Kind)
		if err != nil {
			return err
		}
		if n >= ref.Kind.Max() {
			return &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf("A product has at most %d %ss.", ref.Kind.Max(), ref.Kind)}
		}
		if err := checkOptionName(tx, storeKey, o); err != nil {
			return err
		}
		inUse, err := optionValuesInUse(tx, storeKey, ref.ProductID)
		if err != nil {
			return err
		}
		created, err = tx.CreateOption(storeKey, o, inUse)
		return err
	})
	return created, err
}

// checkOptionName returns KindConflict if another option or modifier of the product has the
// name of o.
func checkOptionName(tx *db.Tx, storeKey string, o cohort.Option) error {
	id, err := tx.OptionIDByName(storeKey, o.ProductID, o.DisplayName)
	if err != nil || id == 0 || id == o.ID {
		return err
	}
	return &cohort.Error{Kind: cohort.KindConflict, Field: "display_name", Reason: "Another option or modifier of the product has this name."}
}

// optionValuesInUse returns the option values of all variants of a product.
func optionValuesInUse(tx *db.Tx, storeKey string, productID int64) (inUse []cohort.OptionValue, err error) {
	err = tx.ReadVariants(storeKey, cohort.VariantFilter{ProductIDs: []int64{productID}}, everything, func(v cohort.Variant) bool {
		inUse = append(inUse, v.OptionValues...)
		return true
	})
	return inUse, err
}

// Option returns an option, or KindNotFound.
func (s *Service) Option(ctx context.Context, storeKey string, ref OptionRef) (o cohort.Option, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		o, err = readOption(tx, storeKey, ref)
		return err
	})
	return o, err
}

// readOption reads an option of a product that exists.
func readOption(tx *db.Tx, storeKey string, ref OptionRef) (cohort.Option, error) {
	if _, err := tx.Product(storeKey, ref.ProductID); err != nil {
		return cohort.Option{}, err
	}
	return tx.Option(storeKey, ref.ProductID, ref.Kind, ref.ID)
}

// ReadOptions sends one page of the options of the product and the kind that ref names, by
// id, to a sink. It returns the number of all of them, or 0 for a page with a cursor, and
// KindNotFound if the product does not exist.
func (s *Service) ReadOptions(ctx context.Context, storeKey string, ref OptionRef, p cohort.Page, to Sink[cohort.Option]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		if _, err := tx.Product(storeKey, ref.ProductID); err != nil {
			return err
		}
		if err := tx.ReadOptions(storeKey, ref.ProductID, ref.Kind, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountOptions(storeKey, ref.ProductID, ref.Kind)
		return err
	})
	return total, err
}

// UpdateOption changes an option and returns the new state. Choices that the update does
// not name stay as they are. Errors are those of CreateOption.
func (s *Service) UpdateOption(ctx context.Context, storeKey string, ref OptionRef, u cohort.OptionUpdate) (cohort.Option, error) {
	if u.IsEmpty() {
		return s.Option(ctx, storeKey, ref)
	}
	return s.changeOption(ctx, storeKey, ref, u.Apply)
}

// changeOption changes an option under the lock of its product.
func (s *Service) changeOption(ctx context.Context, storeKey string, ref OptionRef, change func(cohort.Option) (cohort.Option, error)) (after cohort.Option, err error) {
	err = s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		before, err := lockOption(tx, storeKey, ref)
		if err != nil {
			return err
		}
		if after, err = change(before); err != nil {
			return err
		}
		if err := after.Validate(); err != nil {
			return err
		}
		if err := checkOptionName(tx, storeKey, after); err != nil {
			return err
		}
		inUse, err := optionValuesInUse(tx, storeKey, ref.ProductID)
		if err != nil {
			return err
		}
		after, err = tx.UpdateOption(storeKey, before, after, inUse)
		return err
	})
	if err != nil {
		return cohort.Option{}, err
	}
	return after, nil
}

// lockOption returns an option and locks its product. All writes to the options and the
// variants of a product take this lock.
func lockOption(tx *db.Tx, storeKey string, ref OptionRef) (cohort.Option, error) {
	if _, err := tx.ProductForUpdate(storeKey, ref.ProductID); err != nil {
		return cohort.Option{}, err
	}
	return tx.Option(storeKey, ref.ProductID, ref.Kind, ref.ID)
}

// DeleteOption deletes an option with its choices. It returns KindNotFound, or KindConflict
// while variants of the product have a value of it.
func (s *Service) DeleteOption(ctx context.Context, storeKey string, ref OptionRef) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		o, err := lockOption(tx, storeKey, ref)
		if err != nil {
			return err
		}
		if err := checkOptionUnused(tx, storeKey, ref, 0); err != nil {
			return err
		}
		return tx.DeleteOption(storeKey, o)
	})
}

// checkOptionUnused returns KindConflict if a variant of the product has a value of the
// option or, unless choiceID is 0, that choice.
func checkOptionUnused(tx *db.Tx, storeKey string, ref OptionRef, choiceID int64) error {
	if ref.Kind == cohort.Modifier { // no variant has a value of it
		return nil
	}
	inUse, err := optionValuesInUse(tx, storeKey, ref.ProductID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(inUse, func(v cohort.OptionValue) bool {
		return v.OptionID == ref.ID && (choiceID == 0 || v.ValueID == choiceID)
	}) {
		return &cohort.Error{Kind: cohort.KindConflict, Message: "Variants of the product use it. Change or delete them first."}
	}
	return nil
}

// ReadChoices sends one page of the choices of an option, by id, to a sink. It returns the
// number of all of them, or 0 for a page with a cursor, and KindNotFound.
func (s *Service) ReadChoices(ctx context.Context, storeKey string, ref OptionRef, p cohort.Page, to Sink[cohort.Choice]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		if _, err := readOption(tx, storeKey, ref); err != nil {
			return err
		}
		if err := tx.ReadChoices(storeKey, ref.ID, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountChoices(storeKey, ref.ID)
		return err
	})
	return total, err
}

// Choice returns a choice of an option, or KindNotFound.
func (s *Service) Choice(ctx context.Context, storeKey string, ref OptionRef, id int64) (c cohort.Choice, err error) {
	o, err := s.Option(ctx, storeKey, ref)
	if err != nil {
		return c, err
	}
	return o.Choice(id)
}

// CreateChoice adds a choice to an option and returns it as stored. It returns KindInvalid
// if a rule of choices is broken, KindNotFound if there is no such option, and KindConflict
// if it has too many choices.
func (s *Service) CreateChoice(ctx context.Context, storeKey string, ref OptionRef, u cohort.ChoiceUpdate) (cohort.Choice, error) {
	u.ID = 0
	after, err := s.changeOption(ctx, storeKey, ref, func(o cohort.Option) (cohort.Option, error) { return o.WithChoice(u) })
	if err != nil {
		return cohort.Choice{}, err
	}
	return after.Choices[len(after.Choices)-1], nil
}

// UpdateChoice changes a choice of an option and returns the new state. Errors are those of
// CreateChoice.
func (s *Service) UpdateChoice(ctx context.Context, storeKey string, ref OptionRef, id int64, u cohort.ChoiceUpdate) (cohort.Choice, error) {
	if u.IsEmpty() {
		return s.Choice(ctx, storeKey, ref, id)
	}
	u.ID = id
	after, err := s.changeOption(ctx, storeKey, ref, func(o cohort.Option) (cohort.Option, error) {
		if _, err := o.Choice(id); err != nil {
			return o, err
		}
		return o.WithChoice(u)
	})
	if err != nil {
		return cohort.Choice{}, err
	}
	return after.Choice(id)
}

// DeleteChoice deletes a choice of an option. It returns KindNotFound, or KindConflict while
// variants of the product have it.
func (s *Service) DeleteChoice(ctx context.Context, storeKey string, ref OptionRef, id int64) error {
	return s.updateCatalog(ctx, storeKey, func(tx *db.Tx) error {
		o, err := lockOption(tx, storeKey, ref)
		if err != nil {
			return err
		}
		if _, err := o.Choice(id); err != nil {
			return err
		}
		if err := checkOptionUnused(tx, storeKey, ref, id); err != nil {
			return err
		}
		return tx.DeleteChoice(storeKey, o, id)
	})
}
