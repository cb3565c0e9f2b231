package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MaxImportMistakes bounds the mistakes that a rejected import reports.
const MaxImportMistakes = 100

// MaxImportBrands and MaxImportBrandBytes bound the brands of an import, and the bytes of
// their names and further fields. All of them are written in the transaction that makes
// the import visible, and other writes wait for it.
const (
	MaxImportBrands     = 10_000
	MaxImportBrandBytes = 32 << 20
)

// brandBudget is what an import may still have of brands.
type brandBudget struct{ brands, bytes int }

// take counts a brand. It returns KindInvalid if the import has too many of them.
func (b *brandBudget) take(brand cohort.Brand) error {
	b.brands--
	b.bytes -= len(brand.Name)
	for _, value := range brand.Details {
		b.bytes -= len(value)
	}
	switch {
	case b.brands < 0:
		return &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf("An import has at most %d brands. Import the others with another file, before the products that name them.", MaxImportBrands)}
	case b.bytes < 0:
		return &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf("The brands of an import have at most %d MiB. Import the others with another file, before the products that name them.", MaxImportBrandBytes>>20)}
	}
	return nil
}

// ImportMistakes is the error of an import that was rejected.
type ImportMistakes struct {
	First []cohort.ImportMistake // the first MaxImportMistakes, by line
	Count int64                  // of all mistakes
}

func (e *ImportMistakes) Error() string {
	return fmt.Sprintf("nothing is imported: there are %d mistakes", e.Count)
}

// ImportUnmerged is the error of an import that is committed and visible, but whose
// rows are not merged into the catalog tables yet. The store's catalog cannot be
// changed until a server or the next import has merged them.
type ImportUnmerged struct{ Err error }

func (e *ImportUnmerged) Error() string {
	return fmt.Sprintf("the import is committed, but not merged yet: %v", e.Err)
}

func (e *ImportUnmerged) Unwrap() error { return e.Err }

// ImportCatalog adds the items that next returns, until io.EOF, to a store's catalog.
// An item replaces an existing one with the same id; nothing is deleted. The import is
// atomic: if there is a mistake, next fails or ctx ends, nothing is imported. From the
// check to the end, other writes to the store's catalog fail with KindUnavailable. A
// dry run does everything up to the check and keeps nothing.
//
// It returns KindNotFound, *ImportMistakes, KindUnavailable if another import is
// running, or the counts with *ImportUnmerged.
func (s *Service) ImportCatalog(ctx context.Context, storeKey string, next func() (cohort.CatalogItem, error), dryRun bool) (counts []cohort.ImportCount, err error) {
	ctx = db.ForStore(ctx, storeKey)
	err = s.db.ImportCatalog(ctx, storeKey, func(into *db.CatalogImport) error {
		m := &mistakes{}
		if err := collect(ctx, into, next, s.brandsLeft, m); err != nil {
			return err
		}
		if err := into.FinishLoading(); err != nil {
			return err
		}
		if dryRun {
			return into.Snapshot(func() error {
				counts, err = s.prepare(storeKey, into, m)
				return err
			})
		}
		counts, err = s.finishImport(ctx, storeKey, into, m)
		return err
	})
	if _, done := errors.AsType[*ImportUnmerged](err); done || err == nil {
		return counts, err
	}
	if _, wrong := errors.AsType[*ImportMistakes](err); !wrong && ctx.Err() != nil {
		return nil, ctx.Err() // the cause of the failure
	}
	if cohort.KindOf(err) == cohort.KindConflict {
		return nil, conflictOf(err)
	}
	return nil, err
}

func conflictOf(err error) error {
	return &cohort.Error{
		Kind: cohort.KindConflict, Err: err,
		Message: "Nothing is imported: the catalog was changed at the same time, in a way that does not go together with the file. Please try again.",
	}
}

// prepare checks the collected items and computes the rows to write.
func (s *Service) prepare(storeKey string, into *db.CatalogImport, m *mistakes) ([]cohort.ImportCount, error) {
	if err := into.ReadStored(); err != nil {
		return nil, err
	}
	now := s.timestamp(storeKey)
	if err := check(into, m, now); err != nil {
		return nil, err
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	return into.Compare(now)
}

// collect reads all items into the import.
func collect(ctx context.Context, into *db.CatalogImport, next func() (cohort.CatalogItem, error), left brandBudget, m *mistakes) error {
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
		if err := collectItem(into, item, &left, m); err != nil {
			return err
		}
	}
}

func collectItem(into *db.CatalogImport, item cohort.CatalogItem, left *brandBudget, m *mistakes) error {
	item.Brand, item.Category, item.Product = item.Brand.Normalized(), item.Category.Normalized(), item.Product.Normalized()
	if item.Err == nil {
		item.Err = validateItem(item)
	}
	if item.Err == nil && item.Kind == cohort.CatalogBrand {
		item.Err = left.take(item.Brand)
	}
	if item.Err == nil {
		return into.Add(item)
	}
	m.add(item.Line, reasonOf(item.Err))
	if item.Kind == "" || !isCatalogID(item.ID) {
		m.unidentified = true
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
	case item.Kind == cohort.CatalogBrand:
		return item.Brand.Validate()
	case item.Kind == cohort.CatalogCategory:
		return item.Category.Validate()
	case item.Kind == cohort.CatalogProduct:
		return cmp.Or(item.Product.Validate(), cohort.CheckPartIDs(item.Product.Details))
	case len(item.Variant.OptionValues) == 0: // the database checks that it is the base variant
		return item.Variant.ValidateBase()
	}
	return item.Variant.Validate()
}

// reasonOf returns the text of a mistake from the error of an item.
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

// check checks the items against each other and against the catalog.
func check(into *db.CatalogImport, m *mistakes, now time.Time) error {
	before := m.count
	if err := m.addAll(into.CheckRepeats(MaxImportMistakes)); err != nil {
		return err
	}
	repeats := m.count > before
	if !m.unidentified { // otherwise a missing reference may be one of the unreadable lines
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
	if err := m.addAll(into.CheckParts(MaxImportMistakes, now)); err != nil {
		return err
	}
	var tree categoryTree
	if err := into.CategoryPlaces(tree.add); err != nil {
		return err
	}
	tree.check(m.add)
	return nil
}

// mistakes counts mistakes. Of the list it keeps at least the first MaxImportMistakes
// by line, and fewer than twice as many.
type mistakes struct {
	list         []cohort.ImportMistake
	count        int64
	unidentified bool // the id of some line is unknown
}

func (m *mistakes) add(line int64, text string) {
	m.count++
	m.keep(cohort.ImportMistake{Line: line, Text: text})
}

func (m *mistakes) addAll(first []cohort.ImportMistake, count int64, err error) error {
	m.count += count
	for _, f := range first {
		m.keep(f)
	}
	return err
}

func (m *mistakes) keep(one cohort.ImportMistake) {
	m.list = append(m.list, one)
	if len(m.list) >= 2*MaxImportMistakes {
		m.cut()
	}
}

func (m *mistakes) cut() {
	slices.SortStableFunc(m.list, func(a, b cohort.ImportMistake) int { return cmp.Compare(a.Line, b.Line) })
	m.list = m.list[:min(len(m.list), MaxImportMistakes)]
}

func (m *mistakes) err() error {
	if m.count == 0 {
		return nil
	}
	m.cut()
	return &ImportMistakes{First: m.list, Count: m.count}
}
