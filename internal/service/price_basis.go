package service

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// priceReader reads what prices are computed from: [db.Tx] as it is, and [pastPrices] as it
// was.
type priceReader interface {
	shopperReader
	AssignedLists(storeKey string, groupID, channelID int64, terms *cohort.PriceTerms) error
	ProductsToPrice(storeKey string, ids []int64, tiersLeft *db.Budget) (map[int64]cohort.Product, error)
	CategoriesOfProducts(storeKey string, productIDs []int64, left *db.Budget) (ofProduct map[int64][]int64, all []int64, err error)
	CategoriesAbove(storeKey string, ids []int64, left *db.Budget) (map[int64]cohort.Category, error)
	VariantsOfProducts(storeKey string, productIDs []int64, limit int, optionsLeft *db.Budget) ([]cohort.Variant, error)
	VariantsToPrice(storeKey string, ids []int64, optionsLeft *db.Budget) ([]cohort.Variant, error)
	PriceAdjusters(storeKey string, valueIDs []int64) (map[db.ModifierValue]cohort.Adjuster, error)
	RecordsToPrice(storeKey string, listIDs []int64, currency string, variantIDs []int64, tiersLeft *db.Budget) (map[db.RecordKey]cohort.PriceRecord, error)
}

// priceBasis is the data that the prices of a request are computed from. The number
// of statements that read it does not depend on the number of items.
type priceBasis struct {
	request PriceRequest
	// explained: the records of lists that do not apply are read too, for the prices
	// that they would give.
	explained bool
	// productsOnly: a product as a whole gets no price ranges, so its variants are not read.
	productsOnly bool

	shopper  Shopper
	terms    cohort.PriceTerms
	products map[int64]cohort.Product
	// categories are the products' categories and all above them. They are only read
	// if the group has category rules.
	categories map[int64]cohort.Category
	// ofProduct holds all variants of the products that are requested as a whole or
	// by options, byID the variants that are requested by id.
	ofProduct map[int64][]cohort.Variant
	byID      map[int64]cohort.Variant
	adjusters map[db.ModifierValue]cohort.Adjuster // of the items' options
	records   map[db.RecordKey]cohort.PriceRecord
	bounds    priceBounds
	budgets   budgets
}

func newPriceBasis(r PriceRequest, c cohort.Currency, explained bool, bounds priceBounds) *priceBasis {
	return &priceBasis{request: r, explained: explained, terms: cohort.PriceTerms{Currency: c}, bounds: bounds, budgets: newBudgets(bounds)}
}

func (b *priceBasis) read(tx priceReader, storeKey string) error {
	for _, step := range []func(priceReader, string) error{
		b.readTerms, b.readProducts, b.readCategories, b.readVariants, b.readAdjusters, b.readRecords,
	} {
		if err := step(tx, storeKey); err != nil {
			return err
		}
	}
	return nil
}

func (b *priceBasis) readTerms(tx priceReader, storeKey string) error {
	store, err := tx.Store(storeKey)
	if err != nil {
		return err
	}
	if b.terms.CatalogCurrency, err = cohort.ParseCurrency(store.Currency); err != nil {
		return fmt.Errorf("currency of the store %s: %w", storeKey, err)
	}
	if b.terms.Currency.Code == "" {
		b.terms.Currency = b.terms.CatalogCurrency
	}
	if err := checkChannel(tx, store, b.request.ChannelID); err != nil {
		return err
	}
	if b.shopper, err = readShopper(tx, storeKey, b.request.ChannelID, b.request.ShopperQuery); err != nil {
		return err
	}
	b.terms.Group = b.shopper.Group
	return tx.AssignedLists(storeKey, b.shopper.groupID(), b.request.ChannelID, &b.terms)
}

func (b *priceBasis) readProducts(tx priceReader, storeKey string) (err error) {
	b.products, err = tx.ProductsToPrice(storeKey, b.productIDs(func(PriceItem) bool { return true }), b.budgets.tiers)
	return err
}

// readCategories reads the products' categories and all above them, if the group has
// category rules.
func (b *priceBasis) readCategories(tx priceReader, storeKey string) error {
	if b.terms.Group == nil || !slices.ContainsFunc(b.terms.Group.DiscountRules, isCategoryRule) {
		return nil
	}
	tree, err := readTree(tx, storeKey, slices.Collect(maps.Keys(b.products)), nil, b.budgets)
	if err != nil {
		return err
	}
	for id, categories := range tree.ofProduct {
		p := b.products[id]
		p.Categories = categories
		b.products[id] = p
	}
	b.categories, b.terms.Parents = tree.categories, tree.parents()
	return nil
}

func isCategoryRule(r cohort.DiscountRule) bool { return r.Type == cohort.RuleCategory }

func (b *priceBasis) readVariants(tx priceReader, storeKey string) error {
	var options *db.Budget // nil: option values are not read
	if slices.ContainsFunc(b.request.Items, func(i PriceItem) bool { return len(i.Options) > 0 }) {
		options = b.budgets.options
	}
	if whole := b.productIDs(needsVariants); len(whole) > 0 && !b.productsOnly {
		list, err := tx.VariantsOfProducts(storeKey, whole, b.bounds.variants+1, options)
		if err != nil {
			return err
		}
		if len(list) > b.bounds.variants {
			return cohort.Invalid("items", fmt.Sprintf(
				"The products have more than %d variants together. Ask for fewer of them at once.", b.bounds.variants))
		}
		b.ofProduct = make(map[int64][]cohort.Variant, len(whole))
		for _, v := range list {
			b.ofProduct[v.ProductID] = append(b.ofProduct[v.ProductID], v)
		}
	}
	ids := b.variantIDs()
	if len(ids) == 0 {
		return nil
	}
	list, err := tx.VariantsToPrice(storeKey, ids, options)
	b.byID = make(map[int64]cohort.Variant, len(list))
	for _, v := range list {
		b.byID[v.ID] = v
	}
	return err
}

// readAdjusters reads what the items' options do to prices, for those that are modifiers.
func (b *priceBasis) readAdjusters(tx priceReader, storeKey string) (err error) {
	var ids []int64
	for _, i := range b.request.Items {
		for _, o := range i.Options {
			if o.OptionID != 0 && o.ValueID != 0 {
				ids = append(ids, o.ValueID)
			}
		}
	}
	ids = unique(ids)
	switch {
	case len(ids) == 0:
		return nil
	case len(ids) > maxChosenValues:
		return tooMuch("items", "different option values", maxChosenValues)
	}
	b.adjusters, err = tx.PriceAdjusters(storeKey, ids)
	return err
}

// readRecords reads the price records of the list that applies, or of all assigned
// lists if the prices are explained.
func (b *priceBasis) readRecords(tx priceReader, storeKey string) error {
	var lists []int64
	for _, l := range []cohort.AssignedList{b.terms.GroupChannelList, b.terms.GroupList, b.terms.ChannelList} {
		if l.Known && (l.Active || b.explained) && !slices.Contains(lists, l.ID) {
			lists = append(lists, l.ID)
		}
		if len(lists) > 0 && !b.explained {
			break // the first active list applies
		}
	}
	if len(lists) == 0 {
		return nil
	}
	ids := b.variantIDs()
	if b.productsOnly {
		for _, p := range b.products {
			ids = append(ids, p.BaseVariantID)
		}
	}
	for _, variants := range b.ofProduct {
		for _, v := range variants {
			ids = append(ids, v.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var err error
	b.records, err = tx.RecordsToPrice(storeKey, lists, b.terms.Currency.Code, unique(ids), b.budgets.tiers)
	return err
}

// needsVariants reports whether an item needs all variants of its product.
func needsVariants(i PriceItem) bool { return i.VariantID == 0 }

// productIDs returns the distinct products of the items that pass.
func (b *priceBasis) productIDs(pass func(PriceItem) bool) []int64 {
	ids := make([]int64, 0, len(b.request.Items))
	for _, item := range b.request.Items {
		if pass(item) {
			ids = append(ids, item.ProductID)
		}
	}
	return unique(ids)
}

func (b *priceBasis) variantIDs() []int64 {
	ids := make([]int64, 0, len(b.request.Items))
	for _, item := range b.request.Items {
		if item.VariantID != 0 {
			ids = append(ids, item.VariantID)
		}
	}
	return unique(ids)
}

// unique sorts a list in place and drops repeated values.
func unique[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// tree is a part of the category tree.
type tree struct {
	ofProduct  map[int64][]int64 // the products' categories
	categories map[int64]cohort.Category
}

// readTree reads the categories of products, further categories, and all categories
// above these.
func readTree(tx priceReader, storeKey string, productIDs, more []int64, b budgets) (t tree, err error) {
	ids := slices.Clone(more)
	if len(productIDs) > 0 {
		var all []int64
		if t.ofProduct, all, err = tx.CategoriesOfProducts(storeKey, productIDs, b.ofProducts); err != nil {
			return t, err
		}
		ids = append(ids, all...)
	}
	if len(ids) > 0 {
		t.categories, err = tx.CategoriesAbove(storeKey, unique(ids), b.above)
	}
	return t, err
}

func (t tree) parents() cohort.CategoryParents {
	parents := make(cohort.CategoryParents, len(t.categories))
	for id, c := range t.categories {
		parents[id] = c.ParentID
	}
	return parents
}
