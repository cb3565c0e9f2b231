package db_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// TestPlansOfCustomerData checks that reads of what belongs to some customers look these
// up, and do not read the rows of the whole store.
func TestPlansOfCustomerData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		fillCustomers(t, d, "a", 5000)
		addAttributes(t, d, "a", newAttribute("x", cohort.AttributeString), newAttribute("y", cohort.AttributeString))
		fillFieldsAndValues(t, d)
		few := []int64{3, 5, 7}
		update(t, d, func(tx *db.Tx) error {
			for name, run := range map[string]func() error{
				"a customer": func() error { _, err := tx.CustomerDetail("a", 3); return err },
				"customers": func() error {
					_, err := dbtest.Customers(tx, "a", cohort.CustomerFilter{}, cohort.Page{Number: 2, Size: 10})
					return err
				},
				"customers for update":     func() error { _, err := tx.CustomersForUpdate("a", few); return err },
				"form fields of one":       func() error { _, err := tx.FormFieldsOfCustomers("a", few[:1]); return err },
				"form fields":              func() error { _, err := tx.FormFieldsOfCustomers("a", few); return err },
				"form fields of addresses": func() error { _, err := tx.FormFieldsOfAddresses("a", few); return err },
				"list of form fields": func() error {
					return tx.ReadFormFields("a", cohort.FormFieldFilter{CustomerID: 3}, onePage, func(cohort.FormField) bool { return true })
				},
				"count of form fields": func() error { _, err := tx.CountFormFields("a", cohort.FormFieldFilter{CustomerID: 3}); return err },
				"values of attributes": func() error { _, err := tx.AttributeValuesOfCustomers("a", few, 10); return err },
				"values for update":    func() error { _, err := tx.AttributeValuesForUpdate("a", few, []int64{1, 2}); return err },
				"list of values": func() error {
					f := cohort.AttributeValueFilter{CustomerIDs: few}
					return tx.ReadAttributeValues("a", f, cohort.Page{Number: 1, Size: 50}, func(cohort.AttributeValue) bool { return true })
				},
				"count of values": func() error {
					_, err := tx.CountAttributeValues("a", cohort.AttributeValueFilter{CustomerIDs: few})
					return err
				},
			} {
				plans, err := tx.Plans(run)
				if err != nil {
					return err
				}
				for _, plan := range plans {
					if step := whatScansData(plan); step != "" {
						t.Errorf("%s: %s\n%s", name, step, plan)
					}
				}
			}
			return nil
		})
	})
}

// fillFieldsAndValues gives each customer of the store "a" a form field and a value of the
// attribute 1, as fillCustomers does.
func fillFieldsAndValues(t testing.TB, d *db.DB) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		statements := []string{
			`INSERT INTO customer_form_fields (store_hash, id, customer_id, name, type, value)
				SELECT store_hash, id, id, 'x', 'text', 'y' FROM customers WHERE store_hash = 'a'`,
			`INSERT INTO customer_attribute_values (store_hash, id, customer_id, attribute_id, value, date_created, date_modified)
				SELECT store_hash, id, id, 1, 'x', 0, 0 FROM customers WHERE store_hash = 'a'`,
		}
		if tx.SQL().ForUpdate != "" {
			statements = append(statements, "ANALYZE customer_form_fields", "ANALYZE customer_attribute_values")
		}
		for _, s := range statements {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
}

// whatScansData returns the step of a plan that reads all form fields of a store, or all
// values of attributes, and "" if there is none.
func whatScansData(plan string) string {
	table := ""
	for step := range strings.SplitSeq(plan, "\n") {
		step = strings.TrimSpace(step)
		if strings.Contains(step, " Scan ") {
			table = step
		}
		ofData := strings.Contains(table, "customer_form_fields") || strings.Contains(table, "customer_attribute_values")
		switch {
		case ofData && strings.Contains(step, "Seq Scan"), ofData && step == "Index Cond: (store_hash = 'a'::text)",
			strings.HasPrefix(step, "SCAN customer_"), strings.HasPrefix(step, "SCAN x"), strings.HasPrefix(step, "SCAN f"),
			strings.HasPrefix(step, "SEARCH customer_form_fields ") && strings.HasSuffix(step, "(store_hash=?)"),
			strings.HasPrefix(step, "SEARCH customer_attribute_values ") && strings.HasSuffix(step, "(store_hash=?)"):
			return step
		}
	}
	return ""
}
