package cohort

import (
	"math"

	"github.com/shopspring/decimal"
)

// PriceTerms is what decides prices for one shopper, apart from the product:
// the group, and the lists that are assigned. It is the same for all items of a
// request.
type PriceTerms struct {
	// Currency is that of the answer. CatalogCurrency is the store's: catalog
	// prices and the amounts of discount rules are in it. Nothing is converted,
	// so where the two differ only lists with prices in Currency have a say.
	Currency        Currency
	CatalogCurrency Currency
	Group           *Group // nil: of no group
	// The lists that are assigned to the group in the channel, to the group, and
	// to the channel. The zero value is none.
	GroupChannelList, GroupList, ChannelList AssignedList
	// Parents is the category tree, or at least what is above the categories of
	// the products.
	Parents CategoryParents
}

// AssignedList is a price list that an assignment names.
type AssignedList struct {
	ID     int64 // 0: none is assigned
	Name   string
	Known  bool // false: there is no list with this id; a group's rule may name one on trust
	Active bool
}

// PricedItem is one thing whose price is asked.
type PricedItem struct {
	Product Product
	// Variant is the one that is asked for, nil for the product as a whole.
	Variant *Variant
	// Records are those of the variant, or of the base variant for the product
	// as a whole, in the terms' currency, by the ids of the assigned lists.
	Records map[int64]PriceRecord
}

// Price is what a shopper pays for one piece of an item, and how that came about.
// Amounts are in the terms' currency. Those that are not Valid do not exist.
type Price struct {
	// Price, SalePrice, RetailPrice and MAPPrice are as the merchant entered
	// them, not rounded: in the list if the price is from one, else in the catalog.
	// What the list leaves out is the catalog's, except for its sale price, which is
	// not in force then.
	Price, SalePrice, RetailPrice, MAPPrice decimal.NullDecimal
	// Calculated is what is paid, rounded half up to the currency's decimals. It
	// is not Valid if nothing has a price in the currency.
	Calculated decimal.NullDecimal
	// BulkTiers are those that apply, by quantity: the list's if the price is from
	// one and it has any, else the product's. They are not to be changed.
	BulkTiers []BulkTier
	// Candidates is what was considered, in that order; category rules are in the
	// order in which they decide. At most one has Won, and Calculated is what that
	// one gives. A price that is not explained has none.
	Candidates []PriceCandidate
	// NotListed counts the candidates that an explanation leaves out, by source.
	// None of them has won.
	NotListed map[PriceSource]int
}

// AllLosers makes [Pricer.Explain] leave out no candidate.
const AllLosers = math.MaxInt32

// PriceSource says where a price comes from.
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

// PriceCandidate is one source of a price as it was considered for an item.
type PriceCandidate struct {
	Source PriceSource
	// List is the price list, for the sources that are lists.
	List AssignedList
	// Rule is the discount rule, for the sources that are rules.
	Rule DiscountRule
	// Path is how a category rule reaches the product: the product's category
	// first, the rule's last.
	Path []int64
	// Tier is the bulk tier, for SourceBulkTier.
	Tier BulkTier
	// Base is what the candidate takes its discount from, where it does, not rounded.
	// Tiers take theirs from the price that won.
	Base decimal.NullDecimal
	// Gives is the price of one piece that it leads to, or would have led to, rounded.
	// It is not Valid if it leads to none. A tier's is that from its quantity on.
	Gives decimal.NullDecimal
	Won   bool
	// Reason is a sentence that says why it won or lost.
	Reason string
}
