package db

import (
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"

	"github.com/shopspring/decimal"
)

// sumUnit divides the amounts whose sum is computed: SQLite cannot add up many of the
// highest prices in one integer, but their quotients and their remainders.
const sumUnit = 1_000_000_000

// CatalogSummary returns the figures about a store's catalog. It reads each variant,
// product and category assignment once.
func (t *Tx) CatalogSummary(storeKey string) (s cohort.CatalogSummary, err error) {
	tables, err := t.catalog(storeKey)
	if err != nil {
		return s, err
	}
	var lowest, highest, units, rest int64
	err = t.QueryRow(`SELECT count(*), coalesce(min(amount), 0), coalesce(max(amount), 0),
			coalesce(CAST(sum(amount / CAST($2 AS BIGINT)) AS BIGINT), 0), coalesce(CAST(sum(amount % CAST($2 AS BIGINT)) AS BIGINT), 0)
		FROM (SELECT CASE WHEN price >= 0 THEN price ELSE product_price END AS amount FROM `+variantsOfProducts(tables)+`
			WHERE store_hash = $1) AS amounts`, storeKey, int64(sumUnit)).Scan(&s.Variants, &lowest, &highest, &units, &rest)
	if err != nil {
		return s, err
	}
	s.LowestPrice, s.HighestPrice = toAmount(lowest), toAmount(highest)
	sum := toAmount(units).Mul(decimal.NewFromInt(sumUnit)).Add(toAmount(rest))
	s.AvgPrice = cohort.Average(sum, s.Variants)

	var oldest, newest int64
	err = t.QueryRow("SELECT coalesce(min(date_created), 0), coalesce(max(date_created), 0) FROM "+tables.products+" WHERE store_hash = $1",
		storeKey).Scan(&oldest, &newest)
	if err != nil {
		return s, err
	}
	if oldest != 0 {
		s.Oldest, s.Newest = fromMillis(oldest), fromMillis(newest)
	}
	s.PrimaryCategory, err = t.primaryCategory(storeKey, tables)
	return s, err
}

// primaryCategory returns the category with most products.
func (t *Tx) primaryCategory(storeKey string, tables catalogTables) (c cohort.Category, err error) {
	err = t.QueryRow("SELECT category_id FROM "+tables.productCategories+
		" WHERE store_hash = $1 GROUP BY category_id ORDER BY count(*) DESC, category_id LIMIT 1", storeKey).Scan(&c.ID)
	if errors.Is(err, txn.ErrNoRows) {
		return cohort.Category{}, nil
	}
	if err != nil {
		return c, err
	}
	known, err := t.Category(storeKey, c.ID)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return c, nil
	}
	return known, err
}
