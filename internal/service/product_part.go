package service

import (
	"context"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// ProductPart is one element of a stream of products with their variants: each product,
// then its variants by id, then an end mark. A product with its variants can be
// megabytes.
type ProductPart struct {
	Kind    PartKind
	Product cohort.Product
	Variant CatalogVariant // with ProductVariant
	First   bool           // with ProductVariant: the product's first variant
	key     string         // the cursor of the product
}

// PartKind is the kind of a ProductPart.
type PartKind int

// The kinds of parts, in the order of the stream.
const (
	ProductBegin PartKind = iota
	ProductVariant
	ProductEnd
)

// inside separates, in a cursor, the cursor of a product from the id of its variant.
const inside = "\x00"

// Cursor returns the value for [cohort.Page.After] that continues after the part: the
// cursor of the product and, before its end, the id of the variant, or 0.
func (p ProductPart) Cursor() string {
	if p.Kind == ProductEnd {
		return p.key
	}
	return p.key + inside + strconv.FormatInt(p.Variant.ID, 10)
}

// ProductCursor returns the cursor of the product that a cursor is at or inside of, and
// whether it is inside.
func ProductCursor(cursor string) (product string, isInside bool) {
	product, _, isInside = strings.Cut(cursor, inside)
	return product, isInside
}

// ReadProductParts is ReadProducts with the variants of each product. If the cursor is
// inside a product, the rest of that product does not count towards the page size.
func (s *Service) ReadProductParts(ctx context.Context, storeKey string, f cohort.ProductFilter, o cohort.ProductOrder, p cohort.Page, to Sink[ProductPart]) (total int64, err error) {
	done, err := s.awaitProductScan(ctx, f, o)
	if err != nil {
		return 0, err
	}
	defer done()
	err = view(ctx, s, to, func(tx *db.Tx) error {
		total, err = readProductParts(tx, storeKey, f, o, p, to.Add)
		return err
	})
	return total, err
}

func readProductParts(tx *db.Tx, storeKey string, f cohort.ProductFilter, o cohort.ProductOrder, p cohort.Page, add func(ProductPart) bool) (total int64, err error) {
	product, variant, isInside := strings.Cut(p.After, inside)
	if isInside {
		more, err := readRestOfProduct(tx, storeKey, product, variant, add)
		if err != nil || !more {
			return 0, err
		}
		p.After = product
	}
	err = tx.ReadProductChunks(storeKey, f, o, p, func(products []cohort.Product) (more bool, err error) {
		keys := make([]string, len(products))
		for i, p := range products {
			keys[i] = o.Key(p)
		}
		return (&partStream{products: products, keys: keys, at: -1, add: add}).read(tx, storeKey, 0)
	})
	if err != nil {
		return 0, err
	}
	if byCursor(p) {
		return 0, nil
	}
	return tx.CountProducts(storeKey, f)
}

// readRestOfProduct adds the parts of a product that follow a variant. If the product
// has been deleted, it adds the end mark.
func readRestOfProduct(tx *db.Tx, storeKey, key, variantID string, add func(ProductPart) bool) (more bool, err error) {
	id, err := strconv.ParseInt(key[strings.LastIndexByte(key, '/')+1:], 10, 64)
	if err != nil {
		return false, cohort.Invalid("after", "The value is not a cursor of this list.")
	}
	p, err := tx.Product(storeKey, id)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return add(ProductPart{Kind: ProductEnd, Product: cohort.Product{ID: id}, key: key}), nil
	}
	if err != nil {
		return false, err
	}
	after, err := strconv.ParseInt(variantID, 10, 64)
	if err != nil {
		return false, cohort.Invalid("after", "The value is not a cursor of this list.")
	}
	rest := partStream{products: []cohort.Product{p}, keys: []string{key}, isFirst: after == 0, add: add}
	return rest.read(tx, storeKey, after)
}

// partStream adds the parts of some products.
type partStream struct {
	products []cohort.Product
	keys     []string // the cursors of the products
	at       int      // the index of the product that is open; -1 before the first
	isFirst  bool     // whether the next variant is the product's first
	add      func(ProductPart) (more bool)
}

// read adds the parts of the products after the variant with an id.
func (s *partStream) read(tx *db.Tx, storeKey string, after int64) (more bool, err error) {
	index := make(map[int64]int, len(s.products))
	for i, p := range s.products {
		index[p.ID] = i
	}
	more = true
	err = tx.ReadVariantsOf(storeKey, s.products, after, func(v CatalogVariant) bool {
		more = s.open(index[v.ProductID]) && s.put(ProductPart{Kind: ProductVariant, Variant: v, First: s.isFirst})
		s.isFirst = false
		return more
	})
	if err != nil || !more {
		return false, err
	}
	return s.open(len(s.products)), nil
}

// open ends the products before the one with an index, and begins those up to it.
func (s *partStream) open(index int) (more bool) {
	for s.at < index {
		if s.at >= 0 && !s.put(ProductPart{Kind: ProductEnd}) {
			return false
		}
		s.at++
		s.isFirst = true
		if s.at < len(s.products) && !s.put(ProductPart{Kind: ProductBegin}) {
			return false
		}
	}
	return true
}

func (s *partStream) put(part ProductPart) (more bool) {
	part.Product, part.key = s.products[s.at], s.keys[s.at]
	return s.add(part)
}
