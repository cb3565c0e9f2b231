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
	Variant cohort.Variant // with ProductVariant
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
	var inner error
	err = tx.ReadProducts(storeKey, f, o, p, func(p cohort.Product) bool {
		key := o.Key(p)
		more := add(ProductPart{Kind: ProductBegin, Product: p, key: key})
		if more {
			more, inner = readVariantsOfProduct(tx, storeKey, p, key, "", add)
		}
		return more && inner == nil
	})
	if err != nil || inner != nil {
		return 0, first(err, inner)
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
	return readVariantsOfProduct(tx, storeKey, p, key, variantID, add)
}

func readVariantsOfProduct(tx *db.Tx, storeKey string, p cohort.Product, key, after string, add func(ProductPart) bool) (more bool, err error) {
	isFirst := after == "" || after == "0"
	more = true
	page := everything
	page.After = after
	err = tx.ReadVariants(storeKey, cohort.VariantFilter{ProductIDs: []int64{p.ID}}, page, func(v cohort.Variant) bool {
		more = add(ProductPart{Kind: ProductVariant, Product: p, Variant: v, First: isFirst, key: key})
		isFirst = false
		return more
	})
	if err != nil || !more {
		return false, err
	}
	return add(ProductPart{Kind: ProductEnd, Product: p, key: key}), nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
