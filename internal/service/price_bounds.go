package service

import (
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// Bounds of one price request, which together bound its memory and time. The vendor
// documents none.
const (
	// MaxPricedItems bounds the items of a request.
	MaxPricedItems = 500
	// MaxFullItems bounds the items of a request with PriceRequest.Full.
	MaxFullItems = 5
	// ListedLosers bounds the losing candidates of each source that an explanation
	// lists.
	ListedLosers = 20
	// maxPricedVariants bounds the variants that are read for products that are
	// requested as a whole. A product can have hundreds.
	maxPricedVariants = 30_000
	// maxPrices bounds the computed prices: one for each item, and one for each
	// variant of an item that is a product as a whole. A product that is requested
	// twice counts twice.
	maxPrices = MaxPricedItems + maxPricedVariants
	// maxOptionComparisons bounds the comparisons of a requested option with one of a
	// variant.
	maxOptionComparisons = 10_000_000
	// maxPricedOptions bounds the option values that are read to find variants by
	// their options.
	maxPricedOptions = 250_000
	// maxChosenValues bounds the different option values that the items name. They are
	// looked up one after another, because each may be that of a modifier.
	maxChosenValues = 20_000
	// maxPricedTiers bounds the bulk tiers that are read with products and records.
	maxPricedTiers = 200_000
	// maxPricedCategories bounds the distinct categories that are read for a price or
	// access request, with all above them.
	maxPricedCategories = 20_000
	// maxRuleComparisons bounds the comparisons of category rules: for each item and
	// variant, the rules that are nearest to the product.
	maxRuleComparisons = 1_000_000
	// maxListedSteps bounds the categories in the paths that explanations list.
	maxListedSteps = 50_000
	// maxPastEvents bounds the events that an explanation of the past takes back, and
	// maxPastBytes the values that it keeps of them, in bytes of JSON.
	maxPastEvents = 50_000
	maxPastBytes  = 64 << 20
)

// priceBounds are bounds that tests lower: a catalog that exceeds the real ones takes
// long to create.
type priceBounds struct {
	variants, options, tiers, categories, steps int
	past                                        db.PastBounds
}

var defaultPriceBounds = priceBounds{
	maxPricedVariants, maxPricedOptions, maxPricedTiers, maxPricedCategories, maxListedSteps,
	db.PastBounds{Events: maxPastEvents, Bytes: maxPastBytes},
}

func tooMuch(field, what string, most int) error {
	return cohort.Invalid(field, fmt.Sprintf("The request asks for more than %d %s together. Ask for fewer items at once.", most, what))
}

// budgets count down the rows that a price request may still read.
type budgets struct{ options, tiers, ofProducts, above *db.Budget }

func newBudgets(bounds priceBounds) budgets {
	budget := func(what string, most int) *db.Budget {
		return &db.Budget{Left: most, Over: tooMuch("items", what, most)}
	}
	return budgets{
		options: budget("option values", bounds.options), tiers: budget("bulk pricing tiers", bounds.tiers),
		ofProducts: budget("categories", bounds.categories), above: budget("categories", bounds.categories),
	}
}

// checkPriceRequest validates a request and returns its currency; the zero value
// stands for the store's currency.
func checkPriceRequest(r PriceRequest, explained bool) (c cohort.Currency, err error) {
	switch {
	case r.ChannelID < 1:
		return c, errChannelID()
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
