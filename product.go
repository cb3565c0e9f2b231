package cohort

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Bounds of the catalog.
const (
	MaxProductName         = 250
	MaxSKU                 = 255
	MaxCategoriesOfProduct = 1000
	MaxBulkTiers           = 100
	MaxOptionValues        = 250 // of one variant
	MaxVariants            = 600 // of one product; the vendor's bound
	MaxVariantsWritten     = 50  // in one batch; the vendor's bound
)

// Prices have at most AmountScale digits after the decimal point and this many before it,
// so that they can be stored as integers of ten-thousandths.
const priceIntDigits = 14

var priceEnd = decimal.New(1, priceIntDigits)

// checkPrice checks that a price can be stored exactly.
func checkPrice(field string, p decimal.Decimal) error {
	if err := checkMoney(field, p); err != nil {
		return err
	}
	if p.GreaterThanOrEqual(priceEnd) {
		return Invalid(field, fmt.Sprintf("A price must have at most %d digits before the point.", priceIntDigits))
	}
	return nil
}

// checkOptionalPrice is checkPrice for an optional price.
func checkOptionalPrice(field string, p decimal.NullDecimal) error {
	if !p.Valid {
		return nil
	}
	return checkPrice(field, p.Decimal)
}

// ProductType is physical or digital.
type ProductType string

// The types of products.
const (
	ProductPhysical ProductType = "physical"
	ProductDigital  ProductType = "digital"
)

// MaxProductBatch is the maximum number of products in one update. Source: the vendor's
// reference.
const MaxProductBatch = 10

// Product is a product of a store's catalog. It has the fields that prices depend on, and
// the few others that the vendor's API requires.
type Product struct {
	ID     int64
	Name   string
	Type   ProductType
	SKU    string          // empty, or unique among the variants of the store
	Weight decimal.Decimal // in the store's unit
	// Price is the catalog price in the store's currency.
	Price decimal.Decimal
	// SalePrice, RetailPrice and MAPPrice are 0 if there is none.
	SalePrice, RetailPrice, MAPPrice decimal.Decimal
	Categories                       []int64 // distinct ids
	BulkTiers                        []BulkTier
	// BaseVariantID is the id of the variant that represents the product as a whole. It
	// is created with the product and has the same SKU.
	BaseVariantID int64
	BrandID       int64 // 0: none
	// BrandName is the name of the brand in a write, instead of BrandID. No product that
	// is read has it.
	BrandName    string
	Details      Details
	DateCreated  time.Time
	DateModified time.Time
	// Options, Modifiers and Channels are only in products that are read with them; see
	// [ProductWith].
	Options, Modifiers []Option
	Channels           []int64
}

// ProductWith names what a read of products reads besides.
type ProductWith struct{ Options, Modifiers, Channels bool }

// MaxOptionBytes bounds the options and modifiers, with their values, of one product that
// is read with them: the bytes of their texts, and 512 for each of them. Source: ours.
const MaxOptionBytes = 2 << 20

// ProductUpdate is a partial update of a product; nil fields are unchanged.
type ProductUpdate struct {
	ID                                      int64 // of the product, in a batch
	Name                                    *string
	Type                                    *ProductType
	SKU                                     *string
	Weight                                  *decimal.Decimal
	Price, SalePrice, RetailPrice, MAPPrice *decimal.Decimal
	Categories                              *[]int64    // replaces the whole list
	BulkTiers                               *[]BulkTier // likewise
	BrandID                                 *int64
	BrandName                               *string // instead of BrandID; see [Product]
	Details                                 Details // the fields to change
}

// IsEmpty reports whether the update changes nothing.
func (u ProductUpdate) IsEmpty() bool {
	return u.Name == nil && u.Type == nil && u.SKU == nil && u.Weight == nil && u.Price == nil && u.SalePrice == nil && u.RetailPrice == nil &&
		u.MAPPrice == nil && u.Categories == nil && u.BulkTiers == nil && u.BrandID == nil &&
		u.BrandName == nil && len(u.Details) == 0
}

// Apply returns p with the update applied, normalized.
func (u ProductUpdate) Apply(p Product) Product {
	set(&p.Name, u.Name)
	set(&p.Type, u.Type)
	set(&p.SKU, u.SKU)
	set(&p.Weight, u.Weight)
	set(&p.Price, u.Price)
	set(&p.SalePrice, u.SalePrice)
	set(&p.RetailPrice, u.RetailPrice)
	set(&p.MAPPrice, u.MAPPrice)
	set(&p.Categories, u.Categories)
	set(&p.BulkTiers, u.BulkTiers)
	set(&p.BrandID, u.BrandID)
	set(&p.BrandName, u.BrandName)
	if u.BrandName != nil && u.BrandID == nil {
		p.BrandID = 0
	}
	p.Details = p.Details.Merge(u.Details)
	return p.Normalized()
}

// Normalized returns the product in its stored form: the name trimmed, and the categories
// without repeats.
func (p Product) Normalized() Product {
	p.Name = strings.TrimSpace(p.Name)
	p.BrandName = strings.TrimSpace(p.BrandName)
	p.Categories = distinct(p.Categories)
	return p
}

// Validate checks a normalized product. It returns a KindInvalid error that names the
// first invalid field. It does not check that the categories exist and the SKU is unique.
func (p Product) Validate() error {
	for _, check := range []error{
		checkText("name", p.Name, 1, MaxProductName),
		p.Type.validate(),
		checkText("sku", p.SKU, 0, MaxSKU),
		checkWeight(p.Weight),
		checkPrice("price", p.Price),
		checkPrice("retail_price", p.RetailPrice),
		checkPrice("sale_price", p.SalePrice),
		checkPrice("map_price", p.MAPPrice),
		checkCategories(p.Categories),
		p.checkBrandName(),
	} {
		if check != nil {
			return check
		}
	}
	if err := ValidateBulkTiers(p.BulkTiers); err != nil {
		return &Error{Kind: KindInvalid, Field: "bulk_pricing_rules", Reason: "The tiers are wrong.", Err: err}
	}
	return nil
}

func (t ProductType) validate() error {
	if t != ProductPhysical && t != ProductDigital {
		return Invalid("type", "The type must be physical or digital.")
	}
	return nil
}

// checkWeight checks that a weight can be stored exactly, as prices are.
func checkWeight(w decimal.Decimal) error {
	switch {
	case w.IsNegative():
		return Invalid("weight", "The weight must not be negative.")
	case !w.Equal(w.Truncate(AmountScale)):
		return Invalid("weight", fmt.Sprintf("The weight must have at most %d decimals.", AmountScale))
	case w.GreaterThanOrEqual(priceEnd):
		return Invalid("weight", fmt.Sprintf("The weight must have at most %d digits before the point.", priceIntDigits))
	}
	return nil
}

// checkBrandName checks that a write names one brand, by its id or by its name.
func (p Product) checkBrandName() error {
	if p.BrandName != "" && p.BrandID != 0 {
		return Invalid("brand_name", "Only one of brand_id and brand_name can be given.")
	}
	return checkText("brand_name", p.BrandName, 0, MaxBrandName)
}

func checkCategories(ids []int64) error {
	switch {
	case len(ids) > MaxCategoriesOfProduct:
		return Invalid("categories", fmt.Sprintf("A product is in at most %d categories.", MaxCategoriesOfProduct))
	case slices.ContainsFunc(ids, func(id int64) bool { return id < 1 }):
		return Invalid("categories", "Category ids are positive integers.")
	}
	return nil
}

// CalculatedPrice returns the catalog price: the sale price if it is lower than the price,
// otherwise the price. It is not rounded.
func (p Product) CalculatedPrice() decimal.Decimal {
	return catalogFigures(p, nil).base().Decimal
}

// BaseVariant returns the variant that represents the product as a whole.
func (p Product) BaseVariant() Variant {
	return Variant{ID: p.BaseVariantID, ProductID: p.ID, SKU: p.SKU}
}

// BulkTier is a price for a range of quantities.
type BulkTier struct {
	QuantityMin int64  // from 1
	QuantityMax int64  // 0: unlimited
	Method      Method // percent and price are discounts from the price of one piece; fixed is the price of each
	Amount      decimal.Decimal
}

// ProductFilter selects products; the zero value selects all of them.
type ProductFilter struct {
	IDs, NotIDs  []int64 // nil: all, and none left out
	IDRange      IntRange
	Keyword      string // in the name or the SKU, whatever the case
	Type         *ProductType
	Weight       AmountRange
	Detail       ProductDetailFilter
	Name         *string
	NameLike     string
	SKU          *string
	SKUs         []string // nil: all
	Categories   []int64  // in at least one of them; nil: all
	Price        AmountRange
	DateModified TimeRange
	ChannelIDs   []int64     // in at least one of them; nil: all
	None         bool        // no product passes
	With         ProductWith // it selects nothing
}

// Scans reports whether a list with the filter compares all products of a store, because no
// index selects those that pass or has the order.
func (f ProductFilter) Scans(o ProductOrder) bool {
	if f.IDs != nil || f.SKU != nil || f.SKUs != nil {
		return false
	}
	return o.By != "" && o.By != SortProductsByID ||
		f.Keyword != "" || f.Name != nil || f.NameLike != "" || f.Type != nil ||
		f.Weight != (AmountRange{}) || f.Price != (AmountRange{}) || f.DateModified != (TimeRange{})
}

// ProductDetailFilter selects products by their brand and by fields of their Details.
type ProductDetailFilter struct {
	BrandIDs, InventoryLevels, NotInventoryLevels []int64 // nil: all, and none left out
	InventoryLevel                                IntRange
	UPC, MPN, Condition, Availability             *string
	IsVisible, IsFeatured, IsFreeShipping         *bool
	LowInventory, OutOfStock                      *bool // of products whose inventory is tracked
}

// AmountRange is a closed range of amounts. An end that is not Valid is unbounded.
type AmountRange struct{ Min, Max decimal.NullDecimal }

// Intersect returns the intersection of two ranges.
func (r AmountRange) Intersect(o AmountRange) AmountRange {
	if !r.Min.Valid || o.Min.Valid && o.Min.Decimal.GreaterThan(r.Min.Decimal) {
		r.Min = o.Min
	}
	if !r.Max.Valid || o.Max.Valid && o.Max.Decimal.LessThan(r.Max.Decimal) {
		r.Max = o.Max
	}
	return r
}

// IntRange is a closed range of whole numbers. An end that is nil is unbounded.
type IntRange struct{ Min, Max *int64 }

// Intersect returns the intersection of two ranges.
func (r IntRange) Intersect(o IntRange) IntRange {
	if r.Min == nil || o.Min != nil && *o.Min > *r.Min {
		r.Min = o.Min
	}
	if r.Max == nil || o.Max != nil && *o.Max < *r.Max {
		r.Max = o.Max
	}
	return r
}
