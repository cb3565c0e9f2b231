package db

import (
	"database/sql"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"github.com/shopspring/decimal"
)

// atSchema runs fn with a database of each engine with the schema of a version. fn
// inserts rows and then opens the database, which migrates it.
func atSchema(t *testing.T, version int64, fn func(t *testing.T, url string, old *sql.DB)) {
	t.Helper()
	path := t.TempDir() + "/cohort.db"
	for _, e := range []struct {
		name, driver, source string
		dialect              goose.Dialect
		url                  func() string
	}{
		{"sqlite", "sqlite", path, goose.DialectSQLite3, func() string { return "sqlite:" + path }},
		{"postgres", "pgx", "", goose.DialectPostgres, func() string { return pgtest.URL(t) }},
	} {
		t.Run(e.name, func(t *testing.T) {
			url := e.url()
			if e.source == "" {
				e.source = url
			}
			old, err := sql.Open(e.driver, e.source)
			if err != nil {
				t.Fatal(err)
			}
			defer old.Close()
			p, err := goose.NewProvider(e.dialect, old, migrations)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.UpTo(t.Context(), version); err != nil {
				t.Fatal(err)
			}
			fn(t, url, old)
		})
	}
}

// TestRulesBecomeAssignments checks that migration 0004_prices.sql adds an
// assignment for each price_list rule of a group, and no others.
func TestRulesBecomeAssignments(t *testing.T) {
	list := func(target int64) []cohort.DiscountRule {
		return []cohort.DiscountRule{{Type: cohort.RulePriceList, TargetID: target}}
	}
	five := decimal.NewFromInt(5)
	groups := map[string]map[int64][]cohort.DiscountRule{
		"a": {
			2:         list(7),
			3:         nil,
			5:         {{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: five}},
			6:         {{Type: cohort.RuleProduct, TargetID: 7, Method: cohort.MethodFixed, Amount: five}, {Type: cohort.RuleCategory, TargetID: 7, Method: cohort.MethodPrice}},
			9:         list(7), // the same list as another group
			4_000_000: list(1<<63 - 1),
		},
		"b":     {1: list(1), 2: nil},
		"none":  {1: nil, 2: {{Type: cohort.RuleAll, Method: cohort.MethodPercent}}},
		"empty": {},
	}
	atSchema(t, 3, func(t *testing.T, url string, old *sql.DB) {
		for store, rules := range groups {
			run(t, old, "INSERT INTO stores (hash, plan, quota, at_once, date_created) VALUES ($1, 'unlimited', 0, 0, 1)", store)
			for id, list := range rules {
				access, text := encodeGroup(cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}, DiscountRules: list})
				run(t, old, `INSERT INTO customer_groups (store_hash, id, name, name_folded, category_access, discount_rules, is_default,
					is_group_for_guests, date_created, date_modified) VALUES ($1, $2, '[{"type":"price_list","target":8}]', '', $3, $4, FALSE, FALSE, 1, 1)`,
					store, id, access, text)
			}
		}
		d := openAt(t, url)
		wantTexts(t, d.View, []string{
			"a/1: list 7, group 2, channel 0", "a/2: list 7, group 9, channel 0",
			"a/3: list 9223372036854775807, group 4000000, channel 0", "b/1: list 1, group 1, channel 0",
		}, `SELECT store_hash || '/' || CAST(id AS TEXT) || ': list ' || CAST(price_list_id AS TEXT) || ', group ' ||
			CAST(customer_group_id AS TEXT) || ', channel ' || CAST(channel_id AS TEXT) FROM price_list_assignments ORDER BY store_hash, id`)
		wantTexts(t, d.View, []string{"a price_list_assignment 3", "b price_list_assignment 1"},
			"SELECT store_hash || ' ' || kind || ' ' || CAST(last_id AS TEXT) FROM counters ORDER BY store_hash, kind")
		wantTexts(t, d.View, nil, "SELECT kind FROM jobs")
		for store, rules := range groups {
			wantGroupsAfterMigration(t, d, store, rules)
		}
		wantNextAssignment(t, d, map[string]int64{"a": 4, "b": 2, "none": 1, "empty": 1})
	})
}

func wantGroupsAfterMigration(t *testing.T, d *DB, store string, rules map[int64][]cohort.DiscountRule) {
	t.Helper()
	err := d.View(t.Context(), func(tx *Tx) error {
		st, err := tx.Store(store)
		if err != nil || st.Catalog != cohort.CatalogExternal || st.Currency != cohort.DefaultCurrency {
			t.Errorf("store %s is %+v, error %v", store, st, err)
		}
		for id, want := range rules {
			g, err := tx.Group(store, id)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(want, g.DiscountRules); diff != "" {
				t.Errorf("rules of %s/%d (-want +got):\n%s", store, id, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func wantNextAssignment(t *testing.T, d *DB, want map[string]int64) {
	t.Helper()
	got := map[string]int64{}
	for store := range want {
		err := d.Update(t.Context(), func(tx *Tx) (err error) {
			got[store], err = tx.NextID(store, "price_list_assignment")
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the next ids (-want +got):\n%s", diff)
	}
}

func run(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
}
