package cohort

import (
	"cmp"
	"strconv"
)

// The reasons are sentences for merchants. They name resources that a merchant can look
// up, not steps of the computation.
const (
	reasonUnknownList  = "There is no price list with this id."
	reasonInactiveList = "The list is not active."
	reasonUnlisted     = "The price list that applies has no price for this."
	reasonNothingElse  = "No price list and no discount applies."
	reasonOnSale       = "No price list and no discount applies, and the sale price is lower than the price."
	reasonProductRule  = "It is for this very product."
	reasonSitewideRule = "It is for the whole catalog, and no rule is for this product or its categories."
)

// comesBefore holds the reasons why a candidate loses, by the earlier source that decided.
var comesBefore = map[PriceSource]string{
	SourceGroupChannelList: "The price list of the group in this channel comes before it.",
	SourceGroupList:        "The price list of the group comes before it.",
	SourceProductRule:      "A product rule comes before it.",
	SourceCategoryRule:     "A category rule comes before it.",
	SourceSitewideRule:     "A rule for the whole catalog comes before it.",
	SourceChannelList:      "The price list of the channel comes before it.",
}

// listWins holds the reasons why a price list wins.
var listWins = map[PriceSource]string{
	SourceGroupChannelList: "The list is the group's in this channel, and nothing comes before that.",
	SourceGroupList:        "The list is the group's.",
	SourceChannelList:      "The list is the channel's, and the group has neither a list nor a discount that applies.",
}

func foreignReason(catalog, asked Currency) string {
	return "Catalog prices and discounts are in " + catalog.Code + ", and nothing is converted to " + asked.Code + "."
}

func (c *comparison) unlistedReason() string {
	const applies = "The list applies, but has no price for this in "
	if c.foreign != "" {
		return applies + c.terms.Currency.Code + "."
	}
	return applies + c.terms.Currency.Code + ", so that the catalog's price stands."
}

func categoryWins(reaches []reach) string {
	won := reaches[0]
	if len(reaches) > 1 {
		other := reaches[1]
		name := "the rule for category " + id(other)
		switch {
		case won.distance < other.distance:
			return "It is nearer to the product than " + name + "."
		case won.gives < other.gives:
			return "It gives a lower price than " + name + ", which is as near to the product."
		}
		return "It gives the same price as " + name + ", which is as near to the product, and the lower category id decides."
	}
	if won.distance == 0 {
		return "The product is in category " + id(won) + "."
	}
	return "The product is in category " + strconv.FormatInt(won.start, 10) + ", which is below category " + id(won) + "."
}

func categoryLoses(lost, won reach) string {
	name := "The rule for category " + id(won)
	switch {
	case won.distance < lost.distance:
		return name + " is nearer to the product."
	case won.gives < lost.gives:
		return name + " is as near to the product and gives a lower price."
	}
	return name + " is as near to the product and gives the same price, and the lower category id decides."
}

// id returns the id of a reach's category.
func id(r reach) string { return strconv.FormatInt(r.rule.TargetID, 10) }

func tierReason(t BulkTier) string {
	reason := "The price is for one piece; this is the price of each from " + strconv.FormatInt(t.QuantityMin, 10)
	switch {
	case t.QuantityMax > 0:
		return reason + " to " + strconv.FormatInt(t.QuantityMax, 10) + " pieces."
	case t.QuantityMin == 1:
		return reason + " piece on."
	}
	return reason + " pieces on."
}

func compareTiers(a, b BulkTier) int {
	return cmp.Or(
		cmp.Compare(a.QuantityMin, b.QuantityMin),
		cmp.Compare(a.QuantityMax, b.QuantityMax),
		cmp.Compare(a.Method, b.Method),
		a.Amount.Cmp(b.Amount),
	)
}
