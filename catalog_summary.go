package cohort

import (
	"time"

	"github.com/shopspring/decimal"
)

// CatalogSummary has figures about a whole catalog. Prices are those of the catalog, not
// reduced by sales; they are 0 if there are no variants.
type CatalogSummary struct {
	Variants                            int64 // with the base variants
	HighestPrice, LowestPrice, AvgPrice decimal.Decimal
	// Oldest and Newest are the creation dates of products, since variants have none.
	// Each product has a base variant of the same age. They are zero without products.
	Oldest, Newest time.Time
	// PrimaryCategory is the category with most products, and of several the one with
	// the lowest id. Its id is 0 if no product is in a category; its name is empty if
	// the category is unknown.
	PrimaryCategory Category
}

// averageScale is the number of decimals of an average price, as in the vendor's example.
const averageScale = 8

// Average returns the average price of n variants whose prices have the sum, or 0 for
// none.
func Average(sum decimal.Decimal, n int64) decimal.Decimal {
	if n == 0 {
		return decimal.Zero
	}
	return sum.DivRound(decimal.NewFromInt(n), averageScale)
}
