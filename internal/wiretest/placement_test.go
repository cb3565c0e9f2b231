package wiretest

import "testing"

func TestUnplaced(t *testing.T) {
	tables := tablesByStore()
	for query, ok := range map[string]bool{
		"SELECT id FROM customers WHERE store_hash = $1": true,
		"SELECT id FROM customers":                       false,
		"SELECT id FROM customers AS c JOIN customer_groups AS g ON g.id = c.id WHERE c.store_hash = $1":        false,
		"SELECT c.id FROM customers AS c JOIN jobs AS j ON j.store_hash = c.store_hash WHERE c.store_hash = $1": true,
		"INSERT INTO customers (id) VALUES ($1)":                                                                false,
		"INSERT INTO customers (store_hash, id) VALUES ($1, $2)":                                                true,
		"DELETE FROM customers WHERE id = $1":                                                                   false,
		"UPDATE customers SET notes = $1":                                                                       false,
		"SELECT hash FROM stores":                                                                               true,
	} {
		if got := unplaced(query, tables); (got == "") != ok {
			t.Errorf("%s: %q", query, got)
		}
	}
}
