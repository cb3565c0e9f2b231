package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MaxImportMistakes is how many mistakes of an import are told.
const MaxImportMistakes = 100

// ImportCount is what an import did with the items of a kind.
type ImportCount = db.ImportCount

// ImportMistake is what is wrong with a line.
type ImportMistake = db.ImportMistake

// ImportMistakes is why an import was refused.
type ImportMistakes struct {
	First []ImportMistake // at most MaxImportMistakes, by line
	Count int64           // of all
}

func (e *ImportMistakes) Error() string {
	return fmt.Sprintf("nothing is imported: there are %d mistakes", e.Count)
}

// errTrial ends a transaction that was only to be tried.
var errTrial = errors.New("nothing is to be kept")

// ImportCatalog adds what next returns to a store's catalog, until it returns
// io.EOF. What has the id of something that is there takes its place; nothing is
// deleted. It is one transaction: everything is written, or nothing if there is
// a mistake, if next fails or if ctx ends. A trial does all of it and keeps
// nothing. It returns KindNotFound, or *ImportMistakes.
func (s *Service) ImportCatalog(ctx context.Context, storeHash string, next func() (cohort.CatalogItem, error), trial bool) ([]ImportCount, error) {
	var counts []ImportCount
	var failure error
	err := s.db.UpdateLong(db.ForStore(ctx, storeHash), func(tx *db.Tx) error {
		counts, failure = s.importCatalog(ctx, tx, storeHash, next, trial)
		if failure == nil {
			failure = ctx.Err() // the last moment to turn back
		}
		if failure == nil && trial {
			return errTrial
		}
		return failure
	})
	switch {
	case failure != nil: // so nothing is kept, whatever else went wrong
		return nil, failure
	case trial && errors.Is(err, errTrial):
		return counts, nil
	case cohort.KindOf(err) == cohort.KindConflict:
		return nil, conflictOf(err)
	case err != nil:
		return nil, err
	}
	return counts, nil
}

func conflictOf(err error) error {
	return &cohort.Error{
		Kind: cohort.KindConflict, Err: err,
		Message: "Nothing is imported: the catalog was changed at the same time, in a way that does not go together with the file. Please try again.",
	}
}

func (s *Service) importCatalog(ctx context.Context, tx *db.Tx, storeHash string, next func() (cohort.CatalogItem, error), trial bool) ([]ImportCount, error) {
	into, err := tx.ImportCatalog(ctx, storeHash)
	if err != nil {
		return nil, err
	}
	mistakes := &mistakes{}
	if err := gather(ctx, into, next, mistakes); err != nil {
		return nil, err
	}
	if err := into.Gathered(); err != nil {
		return nil, err
	}
	if err := check(into, mistakes); err != nil {
		return nil, err
	}
	if err := mistakes.err(); err != nil {
		return nil, err
	}
	counts, err := into.Write(s.timestamp(), trial)
	if cohort.KindOf(err) == cohort.KindConflict {
		return nil, conflictOf(err)
	}
	if err != nil {
		return nil, err
	}
	return counts, into.End()
}

// gather reads everything.
func gather(ctx context.Context, into *db.CatalogImport, next func() (cohort.CatalogItem, error), m *mistakes) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		item, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := gatherItem(into, item, m); err != nil {
			return err
		}
	}
}

func gatherItem(into *db.CatalogImport, item cohort.CatalogItem, m *mistakes) error {
	item.Category, item.Product = item.Category.Normalized(), item.Product.Normalized()
	if item.Err == nil {
		item.Err = validateItem(item)
	}
	if item.Err == nil {
		return into.Add(item)
	}
	m.add(item.Line, reasonOf(item.Err))
	if item.Kind == "" || !isCatalogID(item.ID) {
		m.nameless = true
		return nil
	}
	return into.AddBad(item.Line, item.Kind, item.ID)
}

func isCatalogID(id int64) bool { return id >= 1 && id <= cohort.MaxCatalogID }

func validateItem(item cohort.CatalogItem) error {
	if !isCatalogID(item.ID) {
		return cohort.Invalid("id", fmt.Sprintf("An id is an integer from 1 to %d.", int64(cohort.MaxCatalogID)))
	}
	switch {
	case item.Kind == cohort.KindCategory:
		return item.Category.Validate()
	case item.Kind == cohort.KindProduct:
		return item.Product.Validate()
	case len(item.Variant.OptionValues) == 0: // whether it may be a base variant is seen later
		return item.Variant.ValidateBase()
	}
	return item.Variant.Validate()
}

// reasonOf is what is wrong with an item, for a person.
func reasonOf(err error) string {
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		first := slices.Min(slices.Collect(maps.Keys(items)))
		return fmt.Sprintf("bulk_pricing_rules: element %d: %s", first+1, reasonOf(items[first]))
	}
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok {
		return err.Error()
	}
	reason := cmp.Or(e.Reason, e.Message)
	if cause, ok := errors.AsType[*cohort.Error](e.Err); ok {
		reason = reasonOf(cause)
	}
	if e.Field != "" {
		return e.Field + ": " + reason
	}
	return reason
}

// check looks at everything together.
func check(into *db.CatalogImport, m *mistakes) error {
	if err := into.Lock(); err != nil {
		return err
	}
	before := m.count
	if err := m.addAll(into.CheckRepeats(MaxImportMistakes)); err != nil {
		return err
	}
	repeats := m.count > before
	if !m.nameless { // or what is named may be among the lines that cannot be read
		if err := m.addAll(into.CheckReferences(MaxImportMistakes)); err != nil {
			return err
		}
	}
	if repeats {
		return nil
	}
	if err := m.addAll(into.CheckTogether(MaxImportMistakes)); err != nil {
		return err
	}
	var tree categoryTree
	if err := into.CategoryPlaces(tree.add); err != nil {
		return err
	}
	tree.check(m.add)
	return nil
}

// mistakes gathers what is wrong. It keeps the first of it by line, and some more.
type mistakes struct {
	list     []ImportMistake
	count    int64
	nameless bool // there is a line whose id is unknown
}

func (m *mistakes) add(line int64, text string) {
	m.count++
	m.keep(ImportMistake{Line: line, Text: text})
}

func (m *mistakes) addAll(first []ImportMistake, count int64, err error) error {
	m.count += count
	for _, f := range first {
		m.keep(f)
	}
	return err
}

func (m *mistakes) keep(one ImportMistake) {
	m.list = append(m.list, one)
	if len(m.list) >= 2*MaxImportMistakes {
		m.cut()
	}
}

func (m *mistakes) cut() {
	slices.SortStableFunc(m.list, func(a, b ImportMistake) int { return cmp.Compare(a.Line, b.Line) })
	m.list = m.list[:min(len(m.list), MaxImportMistakes)]
}

func (m *mistakes) err() error {
	if m.count == 0 {
		return nil
	}
	m.cut()
	return &ImportMistakes{First: m.list, Count: m.count}
}
