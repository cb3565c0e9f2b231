package apiv3

import (
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// Cohort sells nothing and keeps no dates of imports: total_sold of all products is 0, and
// date_last_imported is null. [ours] The filters on them select all products or none.

// unsoldFilters adds the filters on both to those of a list.
func unsoldFilters(table filters[productQuery]) {
	table["total_sold"] = func(q *productQuery, value string) error {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return cohort.Invalid("", "The value must be a whole number.")
		}
		q.None = q.None || n != 0
		return nil
	}
	table["date_last_imported"] = importedFilter(true)
	table["date_last_imported:min"] = importedFilter(true)
	table["date_last_imported:max"] = importedFilter(true)
	table["date_last_imported:not"] = importedFilter(false)
	table["keyword_context"] = choiceFilter(func(*productQuery) **string { return new(*string) }, "shopper", "merchant")
}

func importedFilter(none bool) func(*productQuery, string) error {
	date := api.DateFilter(func(*productQuery) *cohort.TimeRange { return &cohort.TimeRange{} }, api.OnDate)
	return func(q *productQuery, value string) error {
		q.None = q.None || none
		return date(q, value)
	}
}
