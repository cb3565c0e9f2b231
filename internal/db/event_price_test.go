package db_test

import (
	"fmt"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

// TestPricesWithoutEvents checks that changes of prices and settings take no more statements
// in a store without events than before there were any.
func TestPricesWithoutEvents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		addStores(t, d, "a")
		addPricedCatalog(t, d, "a", 40)
		token, _, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: cohort.Scopes()})
		if err != nil {
			t.Fatal(err)
		}
		ctx := service.ForBearer(t.Context(), service.Bearer{Token: token, Store: cohort.Store{Hash: "a", Key: "a"}})
		group, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "g"})
		if err != nil {
			t.Fatal(err)
		}
		yes, percent := true, new(decimal.NewNullDecimal(decimal.NewFromInt(5)))
		records := make([]cohort.PriceRecordUpdate, 40)
		for i := range records {
			records[i] = cohort.PriceRecordUpdate{PriceListID: 2, VariantID: int64(i + 1), Currency: "usd", Price: percent}
		}
		created, engine := 0, 0
		if !d.SeesAllWrites() {
			engine = 1
		}
		statements := d.CountQueries()
		for _, o := range []struct {
			name string
			want [2]int // on SQLite and on PostgreSQL
			do   func() error
		}{
			{"create a list", [2]int{2, 2}, func() error {
				created++
				_, err := svc.CreatePriceList(ctx, "a", cohort.PriceList{Name: fmt.Sprint("new", created)})
				return err
			}},
			{"update a list", [2]int{3, 3}, func() error {
				_, err := svc.UpdatePriceList(ctx, "a", 1, cohort.PriceListUpdate{Active: new(false)})
				return err
			}},
			{"create records", [2]int{7, 8}, func() error { return svc.CreatePriceRecords(ctx, "a", records) }},
			{"put records", [2]int{7, 8}, func() error { return svc.PutPriceRecords(ctx, "a", records) }},
			{"set a record", [2]int{6, 7}, func() error { _, err := svc.SetPriceRecord(ctx, "a", records[0]); return err }},
			{"delete records", [2]int{3, 4}, func() error {
				return svc.DeletePriceRecords(ctx, "a", 2, cohort.PriceRecordFilter{Currencies: []string{"usd"}})
			}},
			{"assign", [2]int{7, 6}, func() error {
				_, err := svc.PutAssignment(ctx, "a", cohort.PriceListAssignment{PriceListID: 1, GroupID: group.ID})
				return err
			}},
			{"create a channel", [2]int{5, 6}, func() error {
				_, err := svc.CreateChannel(ctx, "a", cohort.Channel{Name: "c", Type: cohort.ChannelPOS, Platform: "custom"})
				return err
			}},
			{"settings of a channel", [2]int{4, 5}, func() error {
				_, err := svc.UpdateChannelSettings(ctx, "a", 2, cohort.CustomerSettingsUpdate{AskConsent: cohort.Setting[bool]{Sent: true, Value: &yes}})
				return err
			}},
			{"delete a channel", [2]int{13, 15}, func() error {
				_, err := svc.UpdateChannel(ctx, "a", 2, cohort.ChannelUpdate{Status: new(cohort.ChannelDeleted)})
				return err
			}},
			{"delete a list", [2]int{8, 8}, func() error { return svc.DeletePriceList(ctx, "a", 1) }},
			{"delete a group", [2]int{6, 6}, func() error { return svc.DeleteGroup(ctx, "a", group.ID) }},
			{"settings", [2]int{3, 4}, func() error {
				_, err := svc.UpdateCustomerSettings(ctx, "a", cohort.CustomerSettingsUpdate{AskConsent: cohort.Setting[bool]{Sent: true, Value: &yes}})
				return err
			}},
			{"update the store", [2]int{2, 2}, func() error {
				_, err := svc.UpdateStore(ctx, "a", cohort.StoreUpdate{Quota: new(7), Plan: new(cohort.PlanPro)})
				return err
			}},
		} {
			before := statements()
			if err := o.do(); err != nil {
				t.Fatalf("%s: %v", o.name, err)
			}
			if n := statements() - before; n != o.want[engine] {
				t.Errorf("%s: %d statements, want %d", o.name, n, o.want[engine])
			}
		}
	})
}

// addPricedCatalog adds the price lists 1 and 2, and products, each with a variant of the
// same id.
func addPricedCatalog(t *testing.T, d *db.DB, store string, products int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		for id := int64(1); id <= products; id++ {
			p := cohort.Product{ID: id, Name: "x", Type: cohort.ProductPhysical, BaseVariantID: id, DateCreated: t0, DateModified: t0}
			if err := tx.InsertProduct(store, p); err != nil {
				return err
			}
			if err := tx.InsertVariant(store, cohort.Variant{ID: id, ProductID: id}); err != nil {
				return err
			}
		}
		for _, name := range []string{"one", "two"} {
			if _, err := tx.CreatePriceList(store, cohort.PriceList{Name: name, Active: true, DateCreated: t0, DateModified: t0}); err != nil {
				return err
			}
		}
		return nil
	})
}
