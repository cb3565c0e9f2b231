package cohort

// MaxCatalogID is the highest id that a catalog may bring along. Ids that are
// given out above it are numbers that every client can still read exactly.
const MaxCatalogID = 1_000_000_000_000_000

// CatalogKind is what a catalog is made of.
type CatalogKind string

// The kinds.
const (
	CatalogCategory CatalogKind = "category"
	CatalogProduct  CatalogKind = "product"
	CatalogVariant  CatalogKind = "variant"
)

// CatalogKinds returns all of them, each after those that it refers to.
func CatalogKinds() []CatalogKind {
	return []CatalogKind{CatalogCategory, CatalogProduct, CatalogVariant}
}

// CatalogItem is a category, a product or a variant on its way into a store,
// with the id that the merchant knows it by.
type CatalogItem struct {
	Line int64 // where it was read, from 1
	Kind CatalogKind
	ID   int64
	// The one that Kind says, without its id and what a store makes of it.
	Category Category
	Product  Product
	Variant  Variant
	// KeepBulkTiers leaves the bulk tiers that a product has, because where it
	// comes from cannot hold any.
	KeepBulkTiers bool
	// Err is what is wrong with it, a KindInvalid error. Of the other fields only
	// Line is sure to be set then.
	Err error
}
