package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// toldPrice is what an event of prices says, as a line.
func toldPrice(e cohort.Event) string {
	ids := ""
	for _, id := range []struct {
		name string
		id   int64
	}{
		{"list", e.PriceListID},
		{"product", e.ProductID},
		{"variant", e.VariantID},
		{"assignment", e.AssignmentID},
		{"group", e.GroupID},
		{"channel", e.ChannelID},
	} {
		if id.id != 0 {
			ids += fmt.Sprint(" ", id.name, id.id)
		}
	}
	if e.Batch {
		ids += " batch"
	}
	return fmt.Sprintf("%s%s%s %s", e.Kind, ids, e.Currency, e.Changes)
}

// TestEventsTellPrices checks the ids and the form of the events of each kind, and which of
// them belong to a batch.
func TestEventsTellPrices(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		addCatalog(t, svc, d, 0, 2)
		last := int64(0)
		expect := func(what string, err error, want ...string) {
			t.Helper()
			must(t, err)
			var got []string
			for _, e := range allEvents(t, svc, "a", last) {
				got, last = append(got, toldPrice(e)), e.Number
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s: events (-want +got):\n%s", what, diff)
			}
		}
		for _, name := range []string{"Net", "Gross"} {
			_, err := svc.CreatePriceList(ctx, "a", cohort.PriceList{Name: name, Active: true})
			must(t, err)
		}
		expect("create lists", nil, `priceList.created list1 {"name":[null,"Net"],"active":[null,true]}`,
			`priceList.created list2 {"name":[null,"Gross"],"active":[null,true]}`)
		_, err := svc.UpdatePriceList(ctx, "a", 1, cohort.PriceListUpdate{Active: new(false)})
		expect("switch a list off", err, `priceList.updated list1 {"active":[true,false]}`)

		_, err = svc.SetPriceRecord(ctx, "a", cohort.PriceRecordUpdate{PriceListID: 1, SKU: "SKU2", Currency: "usd", Price: setPrice(12)})
		expect("set a record", err, `priceList.record.created list1 product2 variant2USD {"price":[null,"12"],"bulk_pricing_tiers":[null,[]]}`)
		us := batch(2, 12)
		us[0].SalePrice, us[1].SalePrice = setPrice(9), setPrice(8)
		expect("put records", svc.PutPriceRecords(ctx, "a", us),
			`priceList.record.created list1 product1 variant1 batchUSD {"price":[null,"12"],"sale_price":[null,"9"],"bulk_pricing_tiers":[null,[]]}`,
			`priceList.record.updated list1 product2 variant2 batchUSD {"sale_price":[null,"8"]}`)
		expect("put the same records", svc.PutPriceRecords(ctx, "a", us))
		us[1].Currency = "???"
		if err := svc.PutPriceRecords(ctx, "a", us); cohort.KindOf(err) != cohort.KindInvalid {
			t.Fatal(err)
		}
		expect("a rejected batch", nil)
		expect("delete a record", svc.DeletePriceRecord(ctx, "a", 1, 2, "usd"),
			`priceList.record.deleted list1 product2 variant2USD {"price":["12",null],"sale_price":["8",null],"bulk_pricing_tiers":[[],null]}`)
		expect("delete records", svc.DeletePriceRecords(ctx, "a", 1, cohort.PriceRecordFilter{Currencies: []string{"usd"}}),
			`priceList.record.deleted list1 product1 variant1 batchUSD {"price":["12",null],"sale_price":["9",null],"bulk_pricing_tiers":[[],null]}`)
		expect("create a record", svc.CreatePriceRecords(ctx, "a", batch(1, 3)),
			`priceList.record.created list1 product1 variant1 batchUSD {"price":[null,"3"],"bulk_pricing_tiers":[null,[]]}`)

		_, err = svc.PutAssignment(ctx, "a", cohort.PriceListAssignment{PriceListID: 1, GroupID: 7})
		if cohort.KindOf(err) != cohort.KindNotFound {
			t.Fatal(err)
		}
		expect("an unknown group", nil)
		expect("assign", svc.CreateAssignments(ctx, "a", []cohort.PriceListAssignment{{PriceListID: 1, ChannelID: 1}}),
			`priceList.assignment.created list1 assignment1 channel1 {"price_list_id":[null,1],"customer_group_id":[null,0],"channel_id":[null,1]}`)
		n, err := svc.DeletePriceLists(ctx, "a", cohort.PriceListFilter{IDs: []int64{1, 2, 3}})
		if n != 2 {
			t.Errorf("%d lists are deleted", n)
		}
		expect("delete lists", err,
			`priceList.assignment.deleted list1 assignment1 channel1 {"price_list_id":[1,null],"customer_group_id":[0,null],"channel_id":[1,null]}`,
			`priceList.deleted list1 batch {"name":["Net",null],"active":[false,null],"records":[1,null]}`,
			`priceList.deleted list2 batch {"name":["Gross",null],"active":[true,null],"records":[0,null]}`)
	})
}

// TestEventsTellSettings checks the events of settings of channels that a deleted group
// leaves, and of the store.
func TestEventsTellSettings(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		ctx := newStoreWithEvents(t, svc, "a")
		g, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "g"})
		must(t, err)
		last := allEvents(t, svc, "a", 0)[0].Number
		expect := func(what string, err error, want ...string) {
			t.Helper()
			must(t, err)
			var got []string
			for _, e := range allEvents(t, svc, "a", last) {
				got, last = append(got, toldPrice(e)), e.Number
			}
			if !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Fatalf("%s: events %q, want them to begin with %q", what, got, want)
			}
		}
		set := cohort.Setting[int64]{Sent: true, Value: &g.ID}
		_, err = svc.UpdateChannelSettings(ctx, "a", 1, cohort.CustomerSettingsUpdate{DefaultGroupID: set, GuestGroupID: set})
		expect("settings of a channel", err, `customerSettings.updated channel1 {"guest_customer_group_id":[null,1],"default_customer_group_id":[null,1]}`)
		_, err = svc.UpdateCustomerSettings(ctx, "a", cohort.CustomerSettingsUpdate{DefaultGroupID: set})
		expect("settings of the store", err, `customerGroup.updated group1 {"is_default":[false,true]}`, `customerSettings.updated {"default_customer_group_id":[0,1]}`)
		expect("delete the group", svc.DeleteGroup(ctx, "a", g.ID),
			`customerSettings.updated channel1 {"guest_customer_group_id":[1,null],"default_customer_group_id":[1,null]}`, `customerGroup.deleted group1 {`)
		_, err = svc.UpdateStore(service.ForActor(t.Context(), cohort.ActorControl), "a", cohort.StoreUpdate{Quota: new(9), Plan: new(cohort.PlanPro)})
		expect("limits", err, `store.updated {"plan":["unlimited","pro"],"quota":[0,9]}`)
		_, err = svc.UpdateStore(ctx, "a", cohort.StoreUpdate{Quota: new(9), Profile: cohort.StoreProfileUpdate{Phone: new("1")}})
		expect("profile", err, `store.updated {"phone":["","1"]}`)
		_, err = svc.UpdateStore(ctx, "a", cohort.StoreUpdate{Quota: new(9)})
		expect("no change", err)
	})
}
