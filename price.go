package cohort

import (
	"math"

	"github.com/shopspring/decimal"
)

// PriceTerms holds the inputs of a price that do not depend on the product: the group and
// the assigned lists. They are the same for all items of a request.
type PriceTerms struct {
	// Currency is the currency of the prices. CatalogCurrency is the store's: catalog
	// prices and the amounts of discount rules are in it. Amounts are not converted, so
	// if the two differ, only lists with prices in Currency apply.
	Currency        Currency
	CatalogCurrency Currency
	Group           *Group // nil: no group
	// The lists that are assigned to the group in the channel, to the group, and to the
	// channel. The zero value is none.
	GroupChannelList, GroupList, ChannelList AssignedList
	// Parents contains at least all categories above those of the products.
	Parents CategoryParents
}

// AssignedList is the price list of an assignment.
type AssignedList struct {
	ID     int64 // 0: none is assigned
	Name   string
	Known  bool // false: the list does not exist; a rule of an external catalog may refer to one
	Active bool
}

// Price is the price of one piece of an item. Amounts are in the terms' currency. An
// amount that is not Valid does not exist.
type Price struct {
	// Price, SalePrice, RetailPrice and MAPPrice are as the merchant entered them, not
	// rounded: from the price list if it decides the price, otherwise from the catalog.
	// Fields that the list leaves out are those of the catalog, except the sale price,
	// which does not apply then.
	Price, SalePrice, RetailPrice, MAPPrice decimal.NullDecimal
	// Calculated is the price to pay, rounded half up to the currency's decimals. It is
	// not Valid if no source has a price in the currency.
	Calculated decimal.NullDecimal
	// BulkTiers are the tiers that apply, by quantity: the price list's if it decides
	// the price and has tiers, otherwise the product's. The caller must not change them.
	BulkTiers []BulkTier
	// Candidates are the sources of an explained price in the order in which they were
	// considered; category rules are in their order of precedence. At most one has Won,
	// and it gives Calculated, before the modifiers.
	Candidates []PriceCandidate
	// Modifiers are those that Calculated includes.
	Modifiers []AppliedModifier
	// NotListed counts the losing candidates that an explanation leaves out, by source.
	NotListed map[PriceSource]int
}

// AllLosers makes [ProductPricer.Explain] list all candidates.
const AllLosers = math.MaxInt32

// PriceSource is a source of prices.
type PriceSource string

// The sources, in the order in which they are considered.
const (
	SourceGroupChannelList PriceSource = "price_list_of_group_and_channel"
	SourceGroupList        PriceSource = "price_list_of_group"
	SourceProductRule      PriceSource = "product_rule"
	SourceCategoryRule     PriceSource = "category_rule"
	SourceSitewideRule     PriceSource = "sitewide_rule"
	SourceChannelList      PriceSource = "price_list_of_channel"
	SourceBulkTier         PriceSource = "bulk_tier"
	SourceCatalog          PriceSource = "catalog"
)

// PriceCandidate is one source that was considered for the price of an item.
type PriceCandidate struct {
	Source PriceSource
	// List is the price list, with a source that is a list.
	List AssignedList
	// Rule is the discount rule, with a source that is a rule.
	Rule DiscountRule
	// Path, with SourceCategoryRule, leads from the product's category to the rule's.
	Path []int64
	// Tier is the bulk tier, with SourceBulkTier.
	Tier BulkTier
	// Base is the unrounded amount that the discount is taken from, if there is one. For
	// a tier it is the winning price.
	Base decimal.NullDecimal
	// Gives is the rounded price of one piece from this source, whether it won or not. It
	// is not Valid if the source gives none. For a tier it is the price at its quantity.
	Gives decimal.NullDecimal
	Won   bool
	// Reason is a sentence that explains why the candidate won or lost.
	Reason string
}
