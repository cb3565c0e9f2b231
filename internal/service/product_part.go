package service

import (
	"context"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// ProductPart is a part of a product with its variants, of which there may be
// megabytes: first the product, then its variants by id, then its end.
type ProductPart struct {
	Kind    PartKind
	Product cohort.Product
	Variant cohort.Variant // if that is what the part is
	First   bool           // of the product's variants
}

// PartKind says what a part of a product is.
type PartKind int

// The parts of a product in their order.
const (
	ProductBegin PartKind = iota
	ProductVariant
	ProductEnd
)

// Place is what a [cohort.Page] has as After to go on behind the part: the id of the
// product, and inside of a product that of the last variant, or 0.
func (p ProductPart) Place() string {
	id := strconv.FormatInt(p.Product.ID, 10)
	if p.Kind == ProductEnd {
		return id
	}
	return id + "/" + strconv.FormatInt(p.Variant.ID, 10)
}

// ReadProductParts is ReadProducts with the variants of each product. The size of
// the page does not count a product that the place is inside of.
func (s *Service) ReadProductParts(ctx context.Context, storeHash string, f cohort.ProductFilter, p cohort.Page, to Sink[ProductPart]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) error {
		total, err = readProductParts(tx, storeHash, f, p, to.Add)
		return err
	})
	return total, err
}

func readProductParts(tx *db.Tx, storeHash string, f cohort.ProductFilter, p cohort.Page, add func(ProductPart) bool) (total int64, err error) {
	product, variant, inside := strings.Cut(p.After, "/")
	if inside {
		more, err := readRestOfProduct(tx, storeHash, product, variant, add)
		if err != nil || !more {
			return 0, err
		}
		p.After = product
	}
	var inner error
	err = tx.ReadProducts(storeHash, f, p, func(p cohort.Product) bool {
		more := add(ProductPart{Kind: ProductBegin, Product: p})
		if more {
			more, inner = readVariantsOfProduct(tx, storeHash, p, "", add)
		}
		return more && inner == nil
	})
	if err != nil || inner != nil {
		return 0, first(err, inner)
	}
	if byCursor(p) {
		return 0, nil
	}
	return tx.CountProducts(storeHash, f)
}

// readRestOfProduct hands on what comes behind a variant of a product. Of a product
// that was deleted meanwhile that is its end.
func readRestOfProduct(tx *db.Tx, storeHash, productID, variantID string, add func(ProductPart) bool) (more bool, err error) {
	id, err := strconv.ParseInt(productID, 10, 64)
	if err != nil {
		return false, cohort.Invalid("after", "The value is not a cursor of this list.")
	}
	p, err := tx.Product(storeHash, id)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return add(ProductPart{Kind: ProductEnd, Product: cohort.Product{ID: id}}), nil
	}
	if err != nil {
		return false, err
	}
	return readVariantsOfProduct(tx, storeHash, p, variantID, add)
}

func readVariantsOfProduct(tx *db.Tx, storeHash string, p cohort.Product, after string, add func(ProductPart) bool) (more bool, err error) {
	isFirst := after == "" || after == "0"
	more = true
	page := everything
	page.After = after
	err = tx.ReadVariants(storeHash, cohort.VariantFilter{ProductIDs: []int64{p.ID}}, page, func(v cohort.Variant) bool {
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
