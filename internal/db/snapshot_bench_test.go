package db_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// fillRows gives a store a number of rows: customers, products, variants and price records
// in equal parts.
func fillRows(b *testing.B, d *db.DB, store string, rows int) {
	b.Helper()
	update(b, d, func(tx *db.Tx) error {
		if err := tx.InsertPriceList(store, cohort.PriceList{ID: 1, Name: "Wholesale", DateCreated: t0, DateModified: t0}); err != nil {
			return err
		}
		for _, insert := range []string{
			`INSERT INTO customers (store_hash, id, company, first_name, last_name, email, email_folded, phone, store_credit, registration_ip_address,
				customer_group_id, notes, tax_exempt_category, reset_pass_on_login, accepts_marketing, password_hash, date_created, date_modified)
				SELECT $1, i, 'Company', 'First', 'Last', 'customer' || i || '@example.com', 'customer' || i || '@example.com', '', '0.0000', '',
				0, '', '', FALSE, FALSE, '', 1, 1 FROM n`,
			`INSERT INTO products SELECT $1, i, 'Product ' || i, 'product ' || i, 'physical', 'P-' || i, 1, 2, 3, 4, 5, '[]', i, 1, 1 FROM n`,
			`INSERT INTO variants SELECT $1, i, i, 'V-' || i, -1, -1, -1, -1, '[]' FROM n`,
			`INSERT INTO price_records SELECT $1, 1, i, 'USD', 5, -1, -1, -1, '[]', 1, 1 FROM n`,
		} {
			query := "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < CAST($2 AS BIGINT)) " + insert
			if _, err := tx.Exec(query, store, rows/4); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkSnapshots saves a store, restores it and clears it, beside another large one.
func BenchmarkSnapshots(b *testing.B) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.MigratedSQLiteURL, "postgres": dbtest.MigratedPostgresURL} {
		for _, rows := range []int{0, 40, 1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", engine, rows), func(b *testing.B) {
				d := dbtest.Open(b, url(b))
				addStores(b, d, "a", "beside")
				fillRows(b, d, "beside", 10_000)
				if rows > 0 {
					fillRows(b, d, "a", rows)
				}
				saveSnapshot(b, d, "a", "")
				for name, fn := range map[string]func(){
					"save":    func() { saveSnapshot(b, d, "a", "base") },
					"restore": func() { restoreSnapshot(b, d, "a", "") },
				} {
					b.Run(name, func(b *testing.B) {
						for b.Loop() {
							fn()
						}
					})
				}
				b.Run("clear", func(b *testing.B) {
					for b.Loop() {
						clearStore(b, d, "a")
						b.StopTimer()
						restoreSnapshot(b, d, "a", "")
						b.StartTimer()
					}
				})
			})
		}
	}
}
