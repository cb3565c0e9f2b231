package service

import (
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// Bounds of one request for prices. The vendor says nothing about them. Together
// they bound the memory and the time that one request takes.
const (
	// MaxPricedItems is how many items a request may have.
	MaxPricedItems = 500
	// MaxFullItems is how many items a request may have that wants all candidates
	// listed.
	MaxFullItems = 5
	// ListedLosers is how many candidates that lost an explanation lists of each
	// source.
	ListedLosers = 20
	// maxPricedVariants bounds what is read for products that are asked for as a
	// whole, each of which can have hundreds of variants.
	maxPricedVariants = 30_000
	// maxPrices bounds the prices that are computed: one for each item, and one for
	// each variant of an item that is a product as a whole, however often it is named.
	maxPrices = MaxPricedItems + maxPricedVariants
	// maxOptionComparisons bounds how often an option that is asked for is compared
	// with one that a variant has.
	maxOptionComparisons = 10_000_000
	// maxPricedOptions bounds the option values that are read to find variants by
	// their options.
	maxPricedOptions = 250_000
	// maxPricedTiers bounds the bulk tiers that are read with products and records.
	maxPricedTiers = 200_000
	// maxPricedCategories bounds the different categories that a request for prices
	// or access leads to, with all above them.
	maxPricedCategories = 20_000
	// maxRuleComparisons bounds how often a category rule is compared for a price:
	// for each item and variant, the rules that are nearest to the product.
	maxRuleComparisons = 1_000_000
	// maxListedSteps bounds the categories in the paths that explanations list.
	maxListedSteps = 50_000
)

// priceBounds are the bounds of what is read. Tests lower those of a service, because
// a catalog that goes beyond takes long to make.
type priceBounds struct{ variants, options, tiers, categories, steps int }

var usualPriceBounds = priceBounds{maxPricedVariants, maxPricedOptions, maxPricedTiers, maxPricedCategories, maxListedSteps}

func tooMuch(field, what string, most int) error {
	return cohort.Invalid(field, fmt.Sprintf("The request asks for more than %d %s together. Ask for fewer items at once.", most, what))
}

// budgets are what a request for prices may still read.
type budgets struct{ options, tiers, ofProducts, above *db.Budget }

func newBudgets(most priceBounds) budgets {
	budget := func(what string, most int) *db.Budget {
		return &db.Budget{Left: most, Over: tooMuch("items", what, most)}
	}
	return budgets{
		options: budget("option values", most.options), tiers: budget("bulk pricing tiers", most.tiers),
		ofProducts: budget("categories", most.categories), above: budget("categories", most.categories),
	}
}

// checkPriceRequest returns the currency that is asked for; the zero value is the
// store's.
func checkPriceRequest(r PriceRequest, explained bool) (c cohort.Currency, err error) {
	switch {
	case r.ChannelID < 1:
		return c, cohort.Invalid("channel_id", "A channel's id is a whole number from 1.")
	case len(r.Items) == 0:
		return c, cohort.Invalid("items", "At least one item is needed.")
	case len(r.Items) > MaxPricedItems:
		return c, cohort.Invalid("items", fmt.Sprintf("A request has at most %d items.", MaxPricedItems))
	case explained && r.Full && len(r.Items) > MaxFullItems:
		return c, cohort.Invalid("items", fmt.Sprintf("A request with full=true has at most %d items.", MaxFullItems))
	case r.Currency == "":
		return c, nil
	}
	if c, err = cohort.ParseCurrency(r.Currency); err != nil {
		return c, cohort.Invalid("currency_code", "A currency is a code of ISO 4217, such as USD.")
	}
	return c, nil
}
