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
}

// PartKind is the kind of a ProductPart.
type PartKind int

// The kinds of parts, in the order of the stream.
const (
	ProductBegin PartKind = iota
	ProductVariant
	ProductEnd
)

// Cursor returns the value for [cohort.Page.After] that continues after the part: the
// id of the product and, before its end, a slash and the id of the variant, or 0.
func (p ProductPart) Cursor() string {
	id := strconv.FormatInt(p.Product.ID, 10)
	if p.Kind == ProductEnd {
		return id
	}
	return id + "/" + strconv.FormatInt(p.Variant.ID, 10)
}

// ReadProductParts is ReadProducts with the variants of each product. If the cursor is
// inside a product, the rest of that product does not count towards the page size.
func (s *Service) ReadProductParts(ctx context.Context, storeKey string, f cohort.ProductFilter, p cohort.Page, to Sink[ProductPart]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		total, err = readProductParts(tx, storeKey, f, p, to.Add)
		return err
	})
	return total, err
}

func readProductParts(tx *db.Tx, storeKey string, f cohort.ProductFilter, p cohort.Page, add func(ProductPart) bool) (total int64, err error) {
	product, variant, inside := strings.Cut(p.After, "/")
	if inside {
		more, err := readRestOfProduct(tx, storeKey, product, variant, add)
		if err != nil || !more {
			return 0, err
		}
		p.After = product
	}
	var inner error
	err = tx.ReadProducts(storeKey, f, p, func(p cohort.Product) bool {
		more := add(ProductPart{Kind: ProductBegin, Product: p})
		if more {
			more, inner = readVariantsOfProduct(tx, storeKey, p, "", add)
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
func readRestOfProduct(tx *db.Tx, storeKey, productID, variantID string, add func(ProductPart) bool) (more bool, err error) {
	id, err := strconv.ParseInt(productID, 10, 64)
	if err != nil {
		return false, cohort.Invalid("after", "The value is not a cursor of this list.")
	}
	p, err := tx.Product(storeKey, id)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return add(ProductPart{Kind: ProductEnd, Product: cohort.Product{ID: id}}), nil
	}
	if err != nil {
		return false, err
	}
	return readVariantsOfProduct(tx, storeKey, p, variantID, add)
}

func readVariantsOfProduct(tx *db.Tx, storeKey string, p cohort.Product, after string, add func(ProductPart) bool) (more bool, err error) {
	isFirst := after == "" || after == "0"
	more = true
	page := everything
	page.After = after
	err = tx.ReadVariants(storeKey, cohort.VariantFilter{ProductIDs: []int64{p.ID}}, page, func(v cohort.Variant) bool {
		more = add(ProductPart{Kind: ProductVariant, Product: p, Variant: v, First: isFirst})
		isFirst = false
		return more
	})
	if err != nil || !more {
		return false, err
	}
	return add(ProductPart{Kind: ProductEnd, Product: p}), nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
