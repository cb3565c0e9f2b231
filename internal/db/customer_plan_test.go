package db_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// plannedQueries are queries whose cost must not grow with the store: those of pages by
// cursor in each order, and those of filters by id, email and group.
func plannedQueries() map[string]func(tx *db.Tx) error {
	list := func(f cohort.CustomerFilter, o cohort.CustomerOrder, p cohort.Page) func(tx *db.Tx) error {
		return func(tx *db.Tx) error {
			_, _, err := tx.ListedCustomers("a", f, o, p)
			return err
		}
	}
	count := func(f cohort.CustomerFilter) func(tx *db.Tx) error {
		return func(tx *db.Tx) error {
			_, err := tx.CountCustomersListed("a", f)
			return err
		}
	}
	queries := map[string]func(tx *db.Tx) error{}
	some := newCustomer(20, 1)
	for name, o := range map[string]cohort.CustomerOrder{
		"id": {}, "date_created": {By: cohort.SortByDateCreated}, "date_created desc": {By: cohort.SortByDateCreated, Descending: true},
		"date_modified": {By: cohort.SortByDateModified, Descending: true}, "last_name": {By: cohort.SortByLastName},
		"last_name desc": {By: cohort.SortByLastName, Descending: true},
	} {
		queries["after a cursor by "+name] = list(cohort.CustomerFilter{}, o, cohort.Page{Number: 1, Size: 10, After: o.Key(some)})
		queries["before a cursor by "+name] = list(cohort.CustomerFilter{}, o, cohort.Page{Number: 1, Size: 10, Before: o.Key(some)})
	}
	page := cohort.Page{Number: 1, Size: 10}
	for name, f := range map[string]cohort.CustomerFilter{
		"ids": {IDs: []int64{5, 7, 9}}, "emails": {Emails: []string{some.Email, "x@example.com", "y@example.com"}},
		"groups": {GroupIDs: []int64{1, 2, 3}},
	} {
		queries[name] = list(f, cohort.CustomerOrder{}, page)
		queries["the count of "+name] = count(f)
	}
	return queries
}

// TestCustomerListPlans checks that these queries look rows up in an index, and sort no
// more than the rows of a page.
func TestCustomerListPlans(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		fillCustomers(t, d, "a", 3000)
		view(t, d, func(tx *db.Tx) error {
			for name, run := range plannedQueries() {
				plans, err := tx.Plans(func() error { return run(tx) })
				if err != nil {
					return err
				}
				for _, plan := range plans {
					if whatScans(plan) != "" {
						t.Errorf("%s: %s\n%s", name, whatScans(plan), plan)
					}
				}
			}
			return nil
		})
	})
}

// TestDateFilterPlans checks when a list by id reads the index on a date: never over V2,
// which had no such index, and over V3 if the filter matches few customers. Otherwise
// SQLite would sort all customers that pass the filter for each page.
func TestDateFilterPlans(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		fillCustomers(t, d, "a", 12_000)
		few := cohort.CustomerFilter{DateCreated: cohort.TimeRange{From: time.UnixMilli(11_990_000)}}
		most := cohort.CustomerFilter{DateCreated: cohort.TimeRange{From: time.UnixMilli(1_000)}}
		page := cohort.Page{Number: 1, Size: 10}
		view(t, d, func(tx *db.Tx) error {
			if tx.SQL().NoIndex == "" { // the planner has statistics, and decides by itself
				return nil
			}
			for _, tt := range []struct {
				name  string
				run   func() error
				query int // of the plans
				index bool
			}{
				{"V2, few", func() error { _, err := dbtest.Customers(tx, "a", few, page); return err }, 0, false},
				{"V2, most", func() error { _, err := dbtest.Customers(tx, "a", most, page); return err }, 0, false},
				{"V3, few", func() error { _, _, err := tx.ListedCustomers("a", few, cohort.CustomerOrder{}, page); return err }, 1, true},
				{"V3, most", func() error { _, _, err := tx.ListedCustomers("a", most, cohort.CustomerOrder{}, page); return err }, 1, false},
			} {
				plans, err := tx.Plans(tt.run)
				if err != nil {
					return err
				}
				if got := strings.Contains(plans[tt.query], "customers_by_date_created"); got != tt.index {
					t.Errorf("%s: the plan reads the index: %v\n%s", tt.name, got, plans[tt.query])
				}
			}
			return nil
		})
	})
}

// TestScanPlans checks that SQLite reads the customers of a store in the order in which
// they are on the disk if it has to compare all of them: in another order, a store of a
// million took 13 seconds instead of one.
func TestScanPlans(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		fillCustomers(t, d, "a", 100)
		part := cohort.CustomerFilter{NameParts: []string{"x"}}
		view(t, d, func(tx *db.Tx) error {
			if tx.SQL().NoIndex == "" {
				return nil
			}
			for name, run := range map[string]func() error{
				"V3 count": func() error { _, err := tx.CountCustomersListed("a", part); return err },
				"V2 count": func() error { _, err := tx.CountCustomers("a", cohort.CustomerFilter{Company: new("x")}); return err },
				"V3 list by last name": func() error {
					_, _, err := tx.ListedCustomers("a", part, cohort.CustomerOrder{By: cohort.SortByLastName}, cohort.Page{Number: 1, Size: 10})
					return err
				},
			} {
				plans, err := tx.Plans(run)
				if err != nil {
					return err
				}
				if !strings.Contains(plans[0], "sqlite_autoindex_customers_1 (store_hash=? AND id>?)") {
					t.Errorf("%s: %s", name, plans[0])
				}
			}
			return nil
		})
	})
}

// TestNameScanIsInterrupted cancels a list and its count while they compare every
// customer with many texts, which would take a minute.
func TestNameScanIsInterrupted(t *testing.T) {
	var f cohort.CustomerFilter
	for i := range 900 {
		f.NameParts = append(f.NameParts, "nobody "+strconv.Itoa(i))
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		fillCustomers(t, d, "a", 20_000)
		for name, read := range map[string]func(tx *db.Tx) error{
			"list": func(tx *db.Tx) error {
				_, _, err := tx.ListedCustomers("a", f, cohort.CustomerOrder{}, cohort.Page{Number: 1, Size: 250})
				return err
			},
			"count": func(tx *db.Tx) error { _, err := tx.CountCustomersListed("a", f); return err },
		} {
			ctx, cancel := context.WithCancel(t.Context())
			err := d.View(ctx, func(tx *db.Tx) error {
				tx.Trace(func(string, []any) { go cancel() })
				return read(tx)
			})
			if cancel(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: the error is %v", name, err)
			}
		}
	})
}

// fillCustomers adds n customers in 20 groups to a store in one statement, and on
// PostgreSQL updates the statistics, as the server does after a minute.
func fillCustomers(t testing.TB, d *db.DB, store string, n int) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(`WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < CAST($2 AS BIGINT))
			INSERT INTO customers (store_hash, id, company, first_name, last_name, email, email_folded, phone, store_credit,
				registration_ip_address, customer_group_id, notes, tax_exempt_category, reset_pass_on_login, accepts_marketing,
				password_hash, date_created, date_modified)
			SELECT $1, n, '', 'Ada', 'Lovelace ' || (n % 97), n || '@example.com', n || '@example.com', '', '0.0000',
				'', n % 20, '', '', FALSE, FALSE, '', n * 1000, n * 7 % 1000 FROM series`, store, n)
		if err != nil || tx.SQL().ForUpdate == "" {
			return err
		}
		_, err = tx.Exec("ANALYZE customers")
		return err
	})
}

// whatScans returns the step of a plan that reads all customers of a store, and "" if
// there is none.
func whatScans(plan string) string {
	ofCustomers := false
	for step := range strings.SplitSeq(plan, "\n") {
		step = strings.TrimSpace(step)
		if strings.Contains(step, " Scan ") {
			ofCustomers = !strings.Contains(step, "departed_groups") && !strings.Contains(step, "member_counts")
		}
		switch {
		case strings.Contains(step, "Seq Scan on customers"), ofCustomers && step == "Index Cond: (store_hash = 'a'::text)",
			strings.HasPrefix(step, "SCAN customers"), strings.HasPrefix(step, "SCAN x"),
			strings.HasPrefix(step, "SEARCH customers ") && strings.HasSuffix(step, "(store_hash=?)"):
			return step
		}
	}
	return ""
}
