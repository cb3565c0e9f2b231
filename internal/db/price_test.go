package db_test

import (
	"errors"
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// TestStatementsOfPrices checks that the number of statements of a price request
// does not depend on the number of items.
func TestStatementsOfPrices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "abc"}); err != nil {
			t.Fatal(err)
		}
		const products = 500
		if err := d.Update(t.Context(), func(tx *db.Tx) error { return fillPriced(tx, products) }); err != nil {
			t.Fatal(err)
		}
		statements := d.CountQueries()
		for _, c := range []struct {
			name string
			item func(i int64) service.PriceItem
			// The numbers of statements for a group with rules and for one with a list.
			// Both read the store, the state of the import, the group, the lists, the
			// products and the variants; with rules also the products' categories and
			// the category tree, with a list also its records.
			rules, list int64
		}{
			{"products", func(i int64) service.PriceItem { return service.PriceItem{ProductID: i} }, 8, 7},
			{"variants", func(i int64) service.PriceItem { return service.PriceItem{ProductID: i, VariantID: 1000 + i} }, 8, 7},
			{"options", func(i int64) service.PriceItem {
				return service.PriceItem{ProductID: i, Options: []cohort.OptionValue{{OptionID: 1, ValueID: 1}}}
			}, 9, 8}, // one more for the options that may be modifiers
			{"mixed", func(i int64) service.PriceItem {
				return service.PriceItem{ProductID: i, VariantID: i % 2 * (1000 + i)}
			}, 9, 8},
		} {
			for group, want := range map[int64]int64{1: c.rules, 2: c.list} {
				for _, items := range []int64{1, 50, products} {
					if c.name == "mixed" && items == 1 {
						continue // one item is not mixed
					}
					r := service.PriceRequest{ChannelID: 1, Currency: "USD", ShopperQuery: service.ShopperQuery{GroupID: &group}}
					for i := range items {
						r.Items = append(r.Items, c.item(i+1))
					}
					before := statements()
					prices, err := svc.Prices(t.Context(), "abc", r)
					if err != nil {
						t.Fatal(err)
					}
					if n := int64(statements() - before); n != want {
						t.Errorf("%s, group %d: %d statements for %d items, want %d", c.name, group, n, items, want)
					}
					if got := prices[items-1].Calculated.Decimal.String(); got != map[int64]string{1: "9", 2: "7"}[group] {
						t.Errorf("%s, group %d: the price of the last of %d items is %s", c.name, group, items, got)
					}
				}
			}
		}
	})
}

// A guest costs as many statements as a group that is named, whether the group for guests
// is the channel's or the store's. A channel of a managed catalog costs one more, except
// channel 1.
func TestStatementsOfGuests(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		for _, mode := range []cohort.CatalogMode{cohort.CatalogExternal, cohort.CatalogManaged} {
			store := string(mode)
			if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: store, Catalog: mode}); err != nil {
				t.Fatal(err)
			}
			err := d.Update(t.Context(), func(tx *db.Tx) error { return fillGuests(tx, store) })
			if err != nil {
				t.Fatal(err)
			}
		}
		statements := d.CountQueries()
		for _, c := range []struct {
			store         string
			channel, want int64
			price         string
		}{{"external", 1, 6, "9"}, {"external", 2, 6, "5"}, {"managed", 1, 6, "9"}, {"managed", 2, 7, "5"}} {
			before := statements()
			prices, err := svc.Prices(t.Context(), c.store, service.PriceRequest{ChannelID: c.channel, Items: []service.PriceItem{{ProductID: 1}}})
			if err != nil {
				t.Fatal(err)
			}
			if n, price := int64(statements()-before), prices[0].Calculated.Decimal.String(); n != c.want || price != c.price {
				t.Errorf("%s catalog, channel %d: %d statements and the price %s, want %d and %s", c.store, c.channel, n, price, c.want, c.price)
			}
		}
	})
}

// fillGuests adds a product, a group for guests, and another one for the guests of
// channel 2.
func fillGuests(tx *db.Tx, store string) error {
	discount := func(percent int64) []cohort.DiscountRule {
		return []cohort.DiscountRule{{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(percent)}}
	}
	everything, group := cohort.CategoryAccess{Type: cohort.AccessAll}, int64(2)
	_, err := tx.CreateChannel(store, cohort.Channel{Name: "Two", Type: cohort.ChannelPOS, Platform: "custom", Status: cohort.ChannelConnected})
	return errors.Join(
		err,
		tx.InsertGroup(store, cohort.Group{ID: 1, Name: "one", CategoryAccess: everything, DiscountRules: discount(10), IsGroupForGuests: true}),
		tx.InsertGroup(store, cohort.Group{ID: 2, Name: "two", CategoryAccess: everything, DiscountRules: discount(50)}),
		putChannelSettings(tx, store, 2, cohort.CustomerSettings{GuestGroupID: &group}),
		tx.InsertProduct(store, cohort.Product{ID: 1, Name: "x", Type: cohort.ProductPhysical, Price: decimal.NewFromInt(10), BaseVariantID: 1}),
		tx.InsertVariant(store, cohort.Variant{ID: 1, ProductID: 1}),
	)
}

// fillPriced adds a group with rules, one with a list, and products with three
// variants each.
func fillPriced(tx *db.Tx, products int64) error {
	everything := cohort.CategoryAccess{Type: cohort.AccessAll}
	rule := cohort.DiscountRule{Type: cohort.RuleCategory, TargetID: 1, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(10)}
	errs := []error{
		tx.InsertGroup("abc", cohort.Group{ID: 1, Name: "rules", CategoryAccess: everything, DiscountRules: []cohort.DiscountRule{rule}}),
		tx.InsertGroup("abc", cohort.Group{ID: 2, Name: "list", CategoryAccess: everything}),
		tx.InsertPriceList("abc", cohort.PriceList{ID: 1, Name: "x", Active: true}),
		tx.InsertAssignment("abc", cohort.PriceListAssignment{ID: 1, PriceListID: 1, GroupID: 2}),
		tx.InsertCategory("abc", cohort.Category{ID: 1, Name: "x"}),
		tx.InsertCategory("abc", cohort.Category{ID: 2, ParentID: 1, Name: "y"}),
	}
	var records []cohort.PriceRecord
	for id := int64(1); id <= products; id++ {
		errs = append(errs, tx.InsertProduct("abc", cohort.Product{
			ID: id, Name: fmt.Sprint(id), Type: cohort.ProductPhysical, Price: decimal.NewFromInt(10), Categories: []int64{2}, BaseVariantID: id,
		}))
		for i := range int64(3) {
			v := cohort.Variant{ID: 1000*i + id, ProductID: id}
			if i > 0 {
				v.OptionValues = []cohort.OptionValue{{OptionID: 1, ValueID: i}}
			}
			errs = append(errs, tx.InsertVariant("abc", v))
			records = append(records, cohort.PriceRecord{
				PriceListID: 1, VariantID: v.ID, Currency: "USD", Price: decimal.NewNullDecimal(decimal.NewFromInt(7)),
			})
		}
	}
	for _, err := range append(errs, tx.PutPriceRecords("abc", nil, records)) {
		if err != nil {
			return err
		}
	}
	return nil
}
