package cohort

// MaxCatalogID is the highest id in an imported catalog. It leaves room for further ids
// that are exact in a JSON number of every client (below 2^53).
const MaxCatalogID = 1_000_000_000_000_000

// CatalogKind is the kind of a catalog item.
type CatalogKind string

// The kinds of catalog items.
const (
	CatalogBrand    CatalogKind = "brand"
	CatalogCategory CatalogKind = "category"
	CatalogProduct  CatalogKind = "product"
	CatalogVariant  CatalogKind = "variant"
)

// CatalogKinds returns all kinds, each after the kinds that it refers to.
func CatalogKinds() []CatalogKind {
	return []CatalogKind{CatalogBrand, CatalogCategory, CatalogProduct, CatalogVariant}
}

// CatalogItem is a brand, category, product or variant to be imported, with the id of the
// merchant's own system.
type CatalogItem struct {
	Line int64 // of the file, from 1
	Kind CatalogKind
	ID   int64
	// The field of Kind is set, without the id and the fields that a store derives.
	Brand    Brand
	Category Category
	Product  Product
	Variant  Variant
	// KeepBulkTiers leaves the bulk tiers of an existing product unchanged, because the
	// file has no column for them.
	KeepBulkTiers bool
	// ReplaceDetails replaces the Details of an existing item, and the brand of a product.
	// Without it, the import keeps those that are stored.
	ReplaceDetails bool
	// Err is the KindInvalid error of an item that could not be read. With it, only Line
	// is always set.
	Err error
}

// ImportCount holds the numbers of imported items of a kind by what became of them.
type ImportCount struct {
	Kind                       CatalogKind
	Added, Replaced, Unchanged int64
}

// ImportMistake describes an error in a line of an import.
type ImportMistake struct {
	Line int64
	Text string // the field, a colon and a sentence, or a sentence
}
